import { describe, expect, it } from "vitest";
import { LevelAdviser, fall, levelOf, meterFraction } from "./level";

describe("the level", () => {
  it("is the highest magnitude in dB of full scale", () => {
    expect(levelOf(Float32Array.of(0.1, -0.5, 0.2)).peak_dbfs).toBeCloseTo(-6.02, 2);
    expect(levelOf(new Float32Array(8)).peak_dbfs).toBe(-Infinity);
    expect(levelOf(Float32Array.of(0.98)).clipped).toBe(false);
    expect(levelOf(Float32Array.of(-1)).clipped).toBe(true);
  });

  it("fills the meter from -60 dB to 0 and never beyond", () => {
    expect([-Infinity, -60, -30, 0, 6].map(meterFraction)).toEqual([0, 0, 0.5, 1, 1]);
  });

  it("rises at once and falls slowly", () => {
    expect(fall(0.2, 0.9, 16)).toBe(0.9);
    expect(fall(0.9, 0.1, 500)).toBeCloseTo(0.6);
  });
});

describe("the advice about the level", () => {
  const quiet = { peak_dbfs: -80, clipped: false };
  const fine = { peak_dbfs: -12, clipped: false };
  const clipped = { peak_dbfs: 0, clipped: true };

  it("says too loud at once and for three seconds after", () => {
    const adviser = new LevelAdviser();
    expect(adviser.next(clipped, 16)).toBe("too-loud");
    expect(adviser.next(fine, 2900)).toBe("too-loud");
    expect(adviser.next(fine, 200)).toBeNull();
  });

  it("says silent only after three seconds of nothing", () => {
    const adviser = new LevelAdviser();
    expect(adviser.next(quiet, 2900)).toBeNull();
    expect(adviser.next(quiet, 200)).toBe("silent");
    expect(adviser.next(fine, 16)).toBeNull();
  });
});
