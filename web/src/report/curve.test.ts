import { expect, it } from "vitest";
import { draw } from "./curve";

it("the lowest point is at the bottom, the highest at the top, time runs from edge to edge", () => {
  expect(draw([-6, 0, -3])).toEqual({ path: "M0 23L50 1L100 12", min: -6, max: 0 });
});

it("a curve that never changes runs through the middle", () => {
  expect(draw([2, 2])?.path).toBe("M0 12L100 12");
});

it("a long curve keeps its extremes", () => {
  const points = Array.from({ length: 100_000 }, () => 0);
  points[77_777] = 9;
  points[12_345] = -9;
  const drawing = draw(points);
  expect(drawing).toMatchObject({ min: -9, max: 9 });
  expect(drawing?.path.split("L").length).toBeLessThanOrEqual(240);
});

it("one point is nothing to draw", () => {
  expect(draw([])).toBeNull();
  expect(draw([1])).toBeNull();
});
