import { describe, expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { type Cuts, cutsOf, inCorrection, inOriginal } from "./alignment";

const ONE: Cuts[] = [
  [
    { start_s: 2, length_s: 1 },
    { start_s: 5, length_s: 0.5 },
  ],
];
/** A second step that shortens what the first has left. */
const TWO: Cuts[] = [...ONE, [{ start_s: 3, length_s: 2 }]];

describe("the same moment in original and correction", () => {
  it.each([
    [0, 0],
    [2, 2],
    [2.4, 2],
    [3, 2],
    [4, 3],
    [5.25, 4],
    [6, 4.5],
  ])("of %d s of the original is %d s of the correction", (original, corrected) => {
    expect(inCorrection(ONE, original)).toBeCloseTo(corrected, 9);
  });

  it("is found back, at a cut as the moment after it", () => {
    expect(inOriginal(ONE, 1.9)).toBeCloseTo(1.9, 9);
    expect(inOriginal(ONE, 2)).toBeCloseTo(3, 9);
    expect(inOriginal(ONE, 4.5)).toBeCloseTo(6, 9);
  });

  it("goes through every step that shortened", () => {
    for (let corrected = 0; corrected < 6; corrected += 0.13) {
      expect(inCorrection(TWO, inOriginal(TWO, corrected))).toBeCloseTo(corrected, 9);
    }
    expect(inOriginal(TWO, 3)).toBeCloseTo(6.5, 9);
  });

  it("never goes back as time goes on", () => {
    let before = -1;
    for (let original = 0; original < 9; original += 0.05) {
      const now = inCorrection(TWO, original);
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });

  it("is the same where nothing was cut", () => {
    expect(inCorrection([], 7)).toBe(7);
    expect(inOriginal([], 7)).toBe(7);
  });
});

const MEASURED = { duration_ms: 10_000, sample_rate: 48_000, integrated_lufs: -20, true_peak_dbtp: -1 };
const STEP = { step: "trim-silence", plugin: null, skipped: false, latency_frames: 0, cpu_ms: 3, measurements: null };

describe("reading a report's steps", () => {
  it("takes cuts in seconds, in order, and none of a step that was skipped", () => {
    const cuts = [
      { start: 96_000, frames: 4800 },
      { start: 48_000, frames: 9600 },
    ];
    const steps = [{ ...STEP, cuts }, { ...STEP, skipped: true, cuts }, STEP];
    const report = parseReport({ source: "WAV", input: MEASURED, output: MEASURED, steps });
    expect(cutsOf(report)).toEqual([
      [
        { start_s: 1, length_s: 0.2 },
        { start_s: 2, length_s: 0.1 },
      ],
    ]);
  });

  it("leaves out what a plugin reports in no known shape, and keeps the rest", () => {
    const good = { id: "gain", label: "Gain", unit: "dB", value: 3.5 };
    const curve = { id: "g", label: "Gain", unit: "dB", frames_per_point: 480, points: [0, -1] };
    const measurements = {
      measurements: [good, { id: 1 }, { ...good, value: null }, "x"],
      curves: [curve, { ...curve, points: ["a"] }],
    };
    const report = parseReport({ source: "WAV", input: MEASURED, output: MEASURED, steps: [{ ...STEP, measurements }] });
    expect(report.steps[0]?.measurements.map((entry) => entry.value)).toEqual([3.5]);
    expect(report.steps[0]?.curves.map((entry) => entry.points)).toEqual([[0, -1]]);
  });

  it("takes the settings that are values", () => {
    const read = (params: unknown) =>
      parseReport({ source: "", input: MEASURED, output: MEASURED, steps: [{ ...STEP, params }] }).steps[0]?.params;
    expect(read({ a: 1, b: true, c: null })).toEqual({ a: 1, b: true });
    expect(read(undefined)).toEqual({});
  });
});
