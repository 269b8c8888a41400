// Fair comparison: the louder of two recordings nearly always seems the better one.

import type { Report } from "@/api/report";

export type Volumes = { original: number; corrected: number };

export const FULL: Volumes = { original: 1, corrected: 1 };

/** Volumes at which both sound equally loud: the louder one comes down, nothing is ever raised. */
export function matchedVolumes(report: Report): Volumes {
  const before = report.input.integrated_lufs;
  const after = report.output.integrated_lufs;
  if (before === null || after === null) return FULL;
  const gain = (db: number) => 10 ** (-Math.max(0, db) / 20);
  return { original: gain(before - after), corrected: gain(after - before) };
}
