import { describe, expect, it } from "vitest";
import { behind, chance, choose, current, newTest, outcome, verdict } from "./blind";

/** 0.2 and 0.8 by turns. */
function turns() {
  let at = 0;
  return () => ((at += 1) % 2 === 1 ? 0.2 : 0.8);
}

describe("a blind test", () => {
  it("shuffles what is behind the letters", () => {
    const test = newTest(turns(), 4);
    expect(test.map((round) => [behind(round, "a"), behind(round, "b")])).toEqual([
      ["original", "corrected"],
      ["corrected", "original"],
      ["original", "corrected"],
      ["corrected", "original"],
    ]);
  });

  it("goes from round to round, and counts versions, not letters", () => {
    let test = newTest(turns(), 4);
    for (const letter of ["b", "a", "a", "neither"] as const) {
      expect(current(test)).not.toBeNull();
      test = choose(test, letter);
    }
    expect(current(test)).toBeNull();
    expect(outcome(test)).toEqual({ corrected: 2, original: 1, neither: 1 });
  });

  it("knows how likely a result is by chance", () => {
    expect(chance(8, 8)).toBeCloseTo(1 / 256);
    expect(chance(7, 8)).toBeCloseTo(9 / 256);
    expect(chance(0, 8)).toBe(1);
  });

  it.each([
    [{ corrected: 8, original: 0, neither: 0 }, /^You prefer the corrected one.*256/],
    [{ corrected: 1, original: 7, neither: 0 }, /^You prefer the original/],
    [{ corrected: 5, original: 3, neither: 0 }, /^No clear preference/],
    [{ corrected: 2, original: 1, neither: 5 }, /^They sound alike to you/],
  ])("says what %o means", (result, words) => expect(verdict(result)).toMatch(words));
});
