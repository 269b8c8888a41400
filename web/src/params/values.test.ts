import { describe, expect, it } from "vitest";
import type { Param, ParamKind } from "@/api/plugins";
import { check, defaultOf, numberIn, shown, words } from "./values";

const param = (kind: ParamKind, unit = ""): Param => ({ id: "p", label: "Target", help: "", unit, group: "", kind });
const TARGET = param({ type: "float", min: -40, max: -5, default: -16, step: 0.5, scale: "linear" }, "LUFS");
const BANDS = param({ type: "int", min: 1, max: 8, default: 2 });
const KIND = param({ type: "choice", choices: [{ id: "a", label: "Alpha" }, { id: "b", label: "Beta" }], default: "a" });

describe("what is typed into a field", () => {
  it.each([
    [TARGET, "-16", -16],
    [TARGET, " \u221216,5 ", -16.5],
    [BANDS, "3", 3],
    [KIND, "b", "b"],
    [param({ type: "toggle", default: false }), true, true],
  ] as const)("is taken where it is within the range: %#", (p, entry, value) => {
    expect(check(p, entry)).toEqual({ value });
  });

  it.each([
    [TARGET, "-50", "\u221250 LUFS is outside: it goes from \u221240 to \u22125 LUFS."],
    [TARGET, "", "Target is a number from \u221240 to \u22125 LUFS; nothing is entered."],
    [TARGET, "loud", "Target is a number from \u221240 to \u22125 LUFS; “loud” is none."],
    [BANDS, "2.5", "2.5 is not a whole number."],
    [KIND, "c", "“c” is not one of: Alpha, Beta."],
  ] as const)("is explained where it is not: %#", (p, entry, trouble) => {
    expect(check(p, entry)).toEqual({ trouble });
  });

  it("is a number only as people write numbers", () => {
    expect(numberIn("1e3")).toBe(1000);
    expect(numberIn(".5")).toBe(0.5);
    for (const entry of ["", " ", "0x10", "Infinity", "NaN", "1 2", "1,2,3", "12 dB"]) expect(numberIn(entry)).toBeNull();
  });

  it("begins with the default", () => {
    expect(defaultOf(TARGET)).toBe("-16");
    expect(check(TARGET, defaultOf(TARGET))).toEqual({ value: -16 });
    expect(defaultOf(KIND)).toBe("a");
  });
});

describe("values in words", () => {
  it("have units, labels and a real minus", () => {
    expect(words(TARGET, -16)).toBe("\u221216 LUFS");
    expect(words(KIND, "b")).toBe("Beta");
    expect(words(undefined, true)).toBe("on");
    expect(shown(0.1 + 0.2)).toBe("0.3");
  });
});
