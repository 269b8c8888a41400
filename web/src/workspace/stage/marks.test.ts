import { describe, expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { marksOf } from "./marks";

const MEASURED = { duration_ms: 20_000, sample_rate: 1000, integrated_lufs: -20, true_peak_dbtp: -1 };

function step(more: Record<string, unknown>) {
  return { step: "s", skipped: false, latency_frames: 0, cpu_ms: 1, ...more };
}

function found(id: string, start: number, frames: number) {
  return { id, label: `L ${id}`, unit: "", value: 1, span: { start, frames } };
}

describe("the marks on the time line", () => {
  it("are where steps found something, moved to where it is after later cuts", () => {
    const report = parseReport({
      source: "WAV",
      input: MEASURED,
      output: { ...MEASURED, duration_ms: 18_000 },
      steps: [
        step({ measurements: { measurements: [found("music", 9000, 1000), found("speech", 0, 100)], curves: [] } }),
        step({ cuts: [{ start: 4000, frames: 2000 }] }),
        step({ measurements: { measurements: [found("click", 9000, 10)], curves: [] } }),
      ],
    });
    const places = marksOf(report).map(({ kind, at_s, to_s, label, removed_s }) => [kind, at_s, to_s, label, removed_s]);
    expect(places).toEqual([
      ["cut", 4, 4, "", 2],
      ["found", 7, 8, "L music", 0],
      ["found", 9, 9.01, "L click", 0],
    ]);
  });

  it("are none for what is said of the whole", () => {
    const steps = [step({ measurements: { measurements: [found("music", 0, 20_000)], curves: [] } })];
    expect(marksOf(parseReport({ source: "WAV", input: MEASURED, output: MEASURED, steps }))).toEqual([]);
  });
});
