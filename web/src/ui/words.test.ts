import { describe, expect, it } from "vitest";
import { clock, hertz, length, level, percent, size, visible } from "./words";

describe("words for numbers", () => {
  it.each([
    [0, "0:00"],
    [59_999, "0:59"],
    [760_000, "12:40"],
    [3_725_000, "1:02:05"],
    [-5, "0:00"],
  ])("%d ms on the clock is %s", (ms, words) => expect(clock(ms)).toBe(words));

  it.each([
    [3210, "3.21 s"],
    [60_000, "1:00"],
  ])("a length of %d ms is %s", (ms, words) => expect(length(ms)).toBe(words));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [9960, "10 kB"],
    [999_600, "1.0 MB"],
    [46_400_000, "46 MB"],
    [5e12, "5000 GB"],
  ])("%d bytes are %s", (bytes, words) => expect(size(bytes)).toBe(words));

  it.each([
    [-23.06, "\u221223.1 LUFS"],
    [-0.04, "0.0 LUFS"],
    [0.6, "0.6 LUFS"],
    [null, "silence"],
  ])("a level of %s is %s", (value, words) => expect(level(value, "LUFS")).toBe(words));

  it.each([
    [50, "50 Hz"],
    [3400, "3.4 kHz"],
    [24_000, "24 kHz"],
  ])("a frequency of %d is %s", (value, words) => expect(hertz(value)).toBe(words));

  it("never says that everything is done before it is", () => {
    expect([-1, 0, 0.5, 0.999, 1, 2].map(percent)).toEqual(["0 %", "0 %", "50 %", "99 %", "100 %", "100 %"]);
  });
});

describe("words of others", () => {
  it.each([
    ["take \u202evaw.exe", "take vaw.exe"],
    ["\u2067a\u2069\u200f\u061c", "a"],
    ["red\u001b[31m\u0007", "red[31m"],
    ["no\u200bthing\ufeff\u{e0041}", "nothing"],
    ["<b>two</b>\nlines", "<b>two</b>\nlines"],
    ["صوت ۱", "صوت ۱"],
    ["می\u200cخواهم", "می\u200cخواهم"],
  ])("%j is shown as %j", (text, shown) => expect(visible(text)).toBe(shown));
});
