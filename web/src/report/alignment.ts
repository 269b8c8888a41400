// Where a moment of the original is in a correction that was shortened, and the other way round.

import type { Report, Span } from "@/api/report";

/** What one step took out, in seconds of that step's input, in order. */
export type Cuts = readonly { start_s: number; length_s: number }[];

/** One entry for each step that shortened, in the chain's order. */
export function cutsOf(report: Report): Cuts[] {
  const rate = report.input.sample_rate;
  if (!(rate > 0)) return [];
  return report.steps
    .filter((step) => !step.skipped && step.cuts.length > 0)
    .map((step) => inOrder(step.cuts).map(({ start, frames }) => ({ start_s: start / rate, length_s: frames / rate })));
}

function inOrder(cuts: readonly Span[]): Span[] {
  return [...cuts].sort((a, b) => a.start - b.start);
}

/** A moment that was taken out is where its cut is. */
export function inCorrection(steps: readonly Cuts[], original_s: number): number {
  return steps.reduce((time, cuts) => {
    let removed = 0;
    for (const { start_s, length_s } of cuts) {
      if (time <= start_s) break;
      removed += Math.min(length_s, time - start_s);
    }
    return time - removed;
  }, original_s);
}

/** At a cut this is the moment after it: there the words go on. */
export function inOriginal(steps: readonly Cuts[], corrected_s: number): number {
  return steps.reduceRight((time, cuts) => {
    let at = time;
    for (const { start_s, length_s } of cuts) {
      if (at < start_s) break;
      at += length_s;
    }
    return at;
  }, corrected_s);
}
