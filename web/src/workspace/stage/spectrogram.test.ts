import { describe, expect, it } from "vitest";
import { colours, lastTile, rateFor, tilesBetween } from "./spectrogram";

describe("the tiles of a spectrogram", () => {
  it("have about a column for each pixel, never many more", () => {
    expect([0.1, 1, 3, 30, 80, 1000].map(rateFor)).toEqual([1, 1, 2, 20, 100, 200]);
    for (let pixels = 0.5; pixels < 300; pixels *= 1.3) expect(rateFor(pixels)).toBeLessThanOrEqual(Math.max(1, pixels * 1.5));
  });

  it("are counted from the beginning", () => {
    expect(tilesBetween(100, 0, 10)).toEqual([0, 0]);
    expect(tilesBetween(100, 10.24, 20.48)).toEqual([1, 1]);
    expect(tilesBetween(100, 10, 30)).toEqual([0, 2]);
    expect(lastTile(100, 10.24)).toBe(0);
    expect(lastTile(100, 10.25)).toBe(1);
  });
});

describe("the colours", () => {
  it("get brighter with the level, all the way", () => {
    const table = colours();
    const bright = (grey: number) =>
      0.2126 * (table[3 * grey] ?? 0) + 0.7152 * (table[3 * grey + 1] ?? 0) + 0.0722 * (table[3 * grey + 2] ?? 0);
    for (let grey = 1; grey < 256; grey += 1) expect(bright(grey)).toBeGreaterThanOrEqual(bright(grey - 1) - 1.5);
    expect(bright(255) - bright(0)).toBeGreaterThan(200);
  });
});
