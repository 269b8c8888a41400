import { describe, expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { FULL, matchedVolumes, withoutBoost } from "./match";

type Side = { lufs: number | null; peak: number | null };

function volumes(before: Side, after: Side) {
  const measured = ({ lufs, peak }: Side) => ({
    duration_ms: 1000,
    sample_rate: 48_000,
    integrated_lufs: lufs,
    true_peak_dbtp: peak,
  });
  return matchedVolumes(parseReport({ source: "WAV", input: measured(before), output: measured(after), steps: [] }));
}

function check(before: Side, after: Side, original: number, corrected: number): void {
  const found = volumes(before, after);
  expect(found.original).toBeCloseTo(original, 4);
  expect(found.corrected).toBeCloseTo(corrected, 4);
}

describe("equally loud", () => {
  it("brings the louder one down by the difference where the quieter has no room", () => {
    check({ lufs: -26, peak: -1 }, { lufs: -20, peak: -1 }, 1, 0.5012);
    check({ lufs: -10, peak: 0 }, { lufs: -16, peak: -1 }, 0.5012, 1);
    check({ lufs: -16, peak: -1 }, { lufs: -16, peak: -1 }, 1, 1);
    check({ lufs: -26, peak: null }, { lufs: -20, peak: -1 }, 1, 0.5012);
  });

  it("raises the quieter one as far as its peaks allow, and no further", () => {
    check({ lufs: -26, peak: -30 }, { lufs: -20, peak: -1 }, 1.9953, 1);
    check({ lufs: -34, peak: -7 }, { lufs: -16, peak: -1 }, 1.9953, 0.2512);
  });

  it("leaves both alone where one is silence", () => {
    check({ lufs: null, peak: null }, { lufs: -16, peak: -1 }, FULL.original, FULL.corrected);
    check({ lufs: -16, peak: -1 }, { lufs: null, peak: null }, FULL.original, FULL.corrected);
  });

  it("without raising anything is the same against each other", () => {
    const { original, corrected } = withoutBoost({ original: 2, corrected: -0.5 });
    expect([original, corrected]).toEqual([1, -0.25]);
    expect(withoutBoost({ original: 0.5, corrected: 1 })).toEqual({ original: 0.5, corrected: 1 });
  });
});
