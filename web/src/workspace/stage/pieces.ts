// The original on the correction's time line. Where steps took something out, the original is in pieces: each begins
// further on than the one before it ended.

import { type Cuts, inCorrection, inOriginal } from "@/report/alignment";

/** From `from_s` to `to_s` of the correction, the original sounds from `source_s` on. */
export type Piece = { from_s: number; to_s: number; source_s: number };

/** In order, without gaps, over the whole of the correction. */
export function piecesOf(steps: readonly Cuts[], duration_s: number): Piece[] {
  const seams = seamsOf(steps).filter((seam) => seam > 0 && seam < duration_s);
  return [0, ...seams].map((from_s, at, all) => ({ from_s, to_s: all[at + 1] ?? duration_s, source_s: inOriginal(steps, from_s) }));
}

/** Where something is missing, in seconds of the correction. */
export function seamsOf(steps: readonly Cuts[]): number[] {
  const found = steps.flatMap((cuts, step) => {
    let removed = 0;
    return cuts.map(({ start_s, length_s }) => {
      const at = inCorrection(steps.slice(step + 1), start_s - removed);
      removed += length_s;
      return at;
    });
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** The moment of the original that is heard at this one of the correction. */
export function sourceAt(pieces: readonly Piece[], at_s: number): number {
  const piece = pieces.findLast(({ from_s }) => from_s <= at_s) ?? pieces[0];
  return piece === undefined ? at_s : piece.source_s + (at_s - piece.from_s);
}
