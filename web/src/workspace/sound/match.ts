// Fair comparison: the louder of two recordings nearly always seems the better one.

import type { Measurement, Report } from "@/api/report";

export type Volumes = { original: number; corrected: number };

export const FULL: Volumes = { original: 1, corrected: 1 };

/** What is raised stays this far below full scale. */
const CEILING_DBTP = -1;

/** Volumes at which both sound equally loud: the quieter is raised as far as its peaks allow, the louder comes down. */
export function matchedVolumes({ input, output }: Pick<Report, "input" | "output">): Volumes {
  const before = input.integrated_lufs;
  const after = output.integrated_lufs;
  if (before === null || after === null) return FULL;
  const quieter = before < after ? input : output;
  const apart = Math.abs(after - before);
  const raised = Math.min(apart, room(quieter));
  const [up, down] = [10 ** (raised / 20), 10 ** ((raised - apart) / 20)];
  return before < after ? { original: up, corrected: down } : { original: down, corrected: up };
}

function room({ true_peak_dbtp }: Measurement): number {
  return true_peak_dbtp === null ? 0 : Math.max(0, CEILING_DBTP - true_peak_dbtp);
}

/** The same two against each other for players that can only be turned down. */
export function withoutBoost({ original, corrected }: Volumes): Volumes {
  const loudest = Math.max(1, Math.abs(original), Math.abs(corrected));
  return { original: original / loudest, corrected: corrected / loudest };
}
