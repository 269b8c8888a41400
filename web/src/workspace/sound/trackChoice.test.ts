import { expect, test } from "vitest";
import { playOne } from "./trackChoice";

test("one of the two plays, and where there are not two that is told", () => {
  const tracks = { length: 2, 0: { enabled: true }, 1: { enabled: true } };
  expect(playOne(tracks, "original")).toBe(true);
  expect([tracks[0].enabled, tracks[1].enabled]).toEqual([true, false]);
  expect(playOne(tracks, "corrected")).toBe(true);
  expect([tracks[0].enabled, tracks[1].enabled]).toEqual([false, true]);
  expect(playOne({ length: 1, 0: { enabled: true } }, "original")).toBe(false);
  expect(playOne(null, "original")).toBe(false);
});
