import { describe, expect, it } from "vitest";
import { inOriginal } from "@/report/alignment";
import { piecesOf, seamsOf, sourceAt } from "./pieces";

/** Of 20 s, 2 s at 4 s and 1 s at 10 s went, then, of the 17 s left, 1 s at 8.5 s. */
const STEPS = [[{ start_s: 4, length_s: 2 }, { start_s: 10, length_s: 1 }], [{ start_s: 8.5, length_s: 1 }]];

describe("the original on the correction's time line", () => {
  it("is one piece where nothing was taken out", () => {
    expect(piecesOf([], 20)).toEqual([{ from_s: 0, to_s: 20, source_s: 0 }]);
  });

  it("goes on behind each cut, whichever step made it", () => {
    expect(seamsOf(STEPS)).toEqual([4, 8, 8.5]);
    expect(piecesOf(STEPS, 16)).toEqual([
      { from_s: 0, to_s: 4, source_s: 0 },
      { from_s: 4, to_s: 8, source_s: 6 },
      { from_s: 8, to_s: 8.5, source_s: 11 },
      { from_s: 8.5, to_s: 16, source_s: 12.5 },
    ]);
  });

  it("says the same as the alignment at every moment", () => {
    const pieces = piecesOf(STEPS, 16);
    for (let at = 0; at <= 16; at += 0.25) expect(sourceAt(pieces, at)).toBeCloseTo(inOriginal(STEPS, at));
  });
});
