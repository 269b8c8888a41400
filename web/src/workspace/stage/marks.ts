// What is worth a look on the time line: what steps found somewhere, and what was taken out. On the correction's time.

import type { Report } from "@/api/report";
import { cutsOf, inCorrection } from "@/report/alignment";
import { seamsOf } from "./pieces";

export type Mark = {
  kind: "found" | "cut";
  at_s: number;
  /** The same as `at_s` for what was taken out. */
  to_s: number;
  /** A plugin's own words; empty for what was taken out. */
  label: string;
  /** How much is missing here. */
  removed_s: number;
};

/** More than these nobody steps through, and they cover everything. */
export const MARKS_MAX = 400;

/** Where somebody speaks is no finding, and what was cut has its own marks. */
const NOT_MARKED = new Set(["speech", "cut", "silence"]);

export function marksOf(report: Report): Mark[] {
  const rate = report.input.sample_rate;
  if (!(rate > 0)) return [];
  const cuts = cutsOf(report);
  let shortened = 0;
  const found = report.steps.flatMap((step): Mark[] => {
    const later = cuts.slice(shortened);
    if (!step.skipped && step.cuts.length > 0) shortened += 1;
    const whole = report.input.duration_ms / 1000;
    return step.measurements.flatMap(({ id, label, span }): Mark[] => {
      if (span === null || NOT_MARKED.has(id)) return [];
      const [from, to] = [span.start / rate, (span.start + span.frames) / rate];
      // What is said of the whole is no place.
      if (to - from > 0.98 * whole) return [];
      return [{ kind: "found", at_s: inCorrection(later, from), to_s: inCorrection(later, to), label, removed_s: 0 }];
    });
  });
  const taken = seamsOf(cuts).map((at_s): Mark => ({ kind: "cut", at_s, to_s: at_s, label: "", removed_s: removedAt(report, at_s) }));
  return [...found, ...taken].sort((a, b) => a.at_s - b.at_s).slice(0, MARKS_MAX);
}

function removedAt(report: Report, at_s: number): number {
  const steps = cutsOf(report);
  return steps.reduce((sum, cuts, index) => {
    let removed = 0;
    for (const { start_s, length_s } of cuts) {
      if (Math.abs(inCorrection(steps.slice(index + 1), start_s - removed) - at_s) < 1e-6) sum += length_s;
      removed += length_s;
    }
    return sum;
  }, 0);
}
