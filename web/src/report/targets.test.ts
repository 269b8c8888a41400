import { expect, it } from "vitest";
import type { Target } from "@/api/report";
import { targetWords, whyNotWords } from "./targets";

const LOUDNESS: Target = { what: "loudness", unit: "LUFS", target: -16, reached: -16.1, met: true, why_not: null };

it("a target is told with what was reached", () => {
  expect(targetWords(LOUDNESS)).toBe("Loudness: \u221216.1 LUFS, asked for \u221216.0 LUFS");
  expect(targetWords({ ...LOUDNESS, reached: null })).toBe("Loudness: silence, asked for \u221216.0 LUFS");
  const peak: Target = { ...LOUDNESS, what: "true_peak", unit: "dBTP", target: -1, reached: -1.25 };
  expect(targetWords(peak)).toBe("True peak: \u22121.3 dBTP, at most \u22121.0 dBTP");
});

it("why one was not met is a sentence, without its code", () => {
  expect(whyNotWords({ ...LOUDNESS, met: false, why_not: "too-peaky: the peaks leave no room" })).toBe("The peaks leave no room.");
  expect(whyNotWords({ ...LOUDNESS, met: false })).toBe("");
  expect(whyNotWords({ ...LOUDNESS, why_not: "left over" })).toBe("");
});
