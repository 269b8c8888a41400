import { expect, test } from "vitest";
import { parseReport } from "@/api/report";
import { chainThatRan } from "./ran";

const MEASURED = { duration_ms: 1000, sample_rate: 48_000, integrated_lufs: -20, true_peak_dbtp: -1 };

function report(...steps: Record<string, unknown>[]) {
  const all = steps.map((step) => ({ skipped: false, latency_frames: 0, cpu_ms: 1, ...step }));
  return parseReport({ source: "WAV", input: MEASURED, output: MEASURED, steps: all });
}

const ASKED = { steps: [{ plugin: "segment", on_failure: "skip" as const }, { plugin: "diagnose", follow: true }] };

test("what was recommended stands where it was asked for, with the settings it ran with", () => {
  const ran = report(
    { step: "segment" },
    { step: "diagnose" },
    { step: "hum", recommended: true, params: { mains: "50" } },
    { step: "loudness", recommended: true, params: { "target-lufs": -16 } },
  );
  expect(chainThatRan(ASKED, ran)).toEqual({
    steps: [
      { plugin: "segment", on_failure: "skip" },
      { plugin: "hum", params: { mains: "50" }, on_failure: "skip" },
      { plugin: "loudness", params: { "target-lufs": -16 }, on_failure: "skip" },
    ],
  });
});

test("without a recommendation it is what was asked for", () => {
  expect(chainThatRan(ASKED, report({ step: "segment" }))).toBe(ASKED);
  expect(chainThatRan(ASKED, null)).toBe(ASKED);
  expect(chainThatRan(null, null)).toBeNull();
});
