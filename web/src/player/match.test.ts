import { describe, expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { FULL, matchedVolumes } from "./match";

function check(before: number | null, after: number | null, original: number, corrected: number): void {
  const measured = (integrated_lufs: number | null) => ({ duration_ms: 1000, sample_rate: 48_000, integrated_lufs, true_peak_dbtp: -1 });
  const volumes = matchedVolumes(parseReport({ source: "WAV", input: measured(before), output: measured(after), steps: [] }));
  expect(volumes.original).toBeCloseTo(original, 4);
  expect(volumes.corrected).toBeCloseTo(corrected, 4);
}

describe("equally loud", () => {
  it("brings the louder one down by the difference", () => {
    check(-26, -20, 1, 0.5012);
    check(-10, -16, 0.5012, 1);
    check(-16, -16, 1, 1);
  });

  it("leaves both alone where one is silence", () => {
    check(null, -16, FULL.original, FULL.corrected);
    check(-16, null, FULL.original, FULL.corrected);
  });
});
