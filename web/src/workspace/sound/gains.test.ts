import { describe, expect, it } from "vitest";
import { channelsOf, gainsFor } from "./gains";

const VOLUMES = { original: 1, corrected: 0.5 };

describe("what is heard", () => {
  it("is one of the two, and nothing of the other", () => {
    expect(gainsFor("original", true, VOLUMES)).toEqual({ original: 1, corrected: 0 });
    expect(gainsFor("corrected", true, VOLUMES)).toEqual({ original: 0, corrected: 0.5 });
  });

  it("is as loud as it is where loudness is not matched", () => {
    expect(gainsFor("corrected", false, VOLUMES)).toEqual({ original: 0, corrected: 1 });
  });

  it("is the difference of the two, equally loud, where it is what was removed", () => {
    for (const matched of [true, false]) {
      expect(gainsFor("removed", matched, VOLUMES)).toEqual({ original: 1, corrected: -0.5 });
    }
  });
});

describe("the stream's channels", () => {
  it("are one for each only where both are mono", () => {
    expect(channelsOf(1, 1)).toBe(1);
    expect(channelsOf(1, 2)).toBe(2);
    expect(channelsOf(6, 6)).toBe(2);
    expect(channelsOf(null, null)).toBe(2);
  });
});
