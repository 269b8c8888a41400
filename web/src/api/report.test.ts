import { describe, expect, it } from "vitest";
import { UnreadableAnswer } from "./decode";
import { parseReport } from "./report";

const OLD = { duration_ms: 3000, sample_rate: 48_000, integrated_lufs: -20, true_peak_dbtp: -1.2 };
const CURVE = { interval_ms: 100, lowest_lufs: -60, step_lu: 0.25, values: btoa("\u0000\u0001\u0002\u00ff") };

function report(fields: Record<string, unknown> = {}, output: Record<string, unknown> = {}) {
  return parseReport({ source: "WAV", input: OLD, output: { ...OLD, ...output }, steps: [], ...fields });
}

describe("a report", () => {
  it("of an older server has nothing of what came later", () => {
    const old = report();
    expect(old).toMatchObject({ findings: [], tracks: [], targets: [] });
    expect(old.output).toMatchObject({ momentary_max_lufs: null, hum_hz: null, loudness_curve: null });
  });

  it("has the loudness from moment to moment, byte by byte", () => {
    const { loudness_curve } = report({}, { loudness_curve: CURVE }).output;
    expect(loudness_curve?.interval_ms).toBe(100);
    expect([...(loudness_curve?.lufs ?? [])]).toEqual([Number.NaN, -60, -59.75, 3.5]);
  });

  it("of a recording without a moment has a curve without a value", () => {
    expect(report({}, { loudness_curve: { ...CURVE, values: "" } }).output.loudness_curve?.lufs).toHaveLength(0);
  });

  it.each([
    [{ ...CURVE, values: "%" }, "report.output.loudness_curve.values"],
    [{ ...CURVE, interval_ms: 0 }, "report.output.loudness_curve.interval_ms"],
    [{ ...CURVE, step_lu: null }, "report.output.loudness_curve.step_lu"],
  ])("is refused where its curve cannot be read, naming the field", (loudness_curve, where) => {
    expect(() => report({}, { loudness_curve })).toThrow(UnreadableAnswer);
    expect(() => report({}, { loudness_curve })).toThrow(where);
  });

  it("has targets, of the kinds that are known", () => {
    const target = { what: "loudness", unit: "LUFS", target: -16, reached: null, met: false, why_not: "silent: it is silent" };
    expect(report({ targets: [{ what: "colour", target: "blue" }, target] }).targets).toEqual([target]);
    expect(() => report({ targets: [{ ...target, met: "yes" }] })).toThrow("report.targets[0].met");
  });

  it("has tracks, of which not all may be known", () => {
    const known = { track: 1, codec: "AAC", channels: 2, sample_rate: 48_000, name: "Main", language: "eng", default: true, used: true };
    const unknown = { track: 2, codec: null, channels: null, sample_rate: null, name: null, language: null, default: false, used: false };
    expect(report({ tracks: [known, unknown] }).tracks).toEqual([known, unknown]);
    expect(report({ tracks: [{ track: 3 }] }).tracks[0]).toEqual({ ...unknown, track: 3 });
  });
});
