import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Finding, parseFinding } from "@/api/finding";
import { en } from "./en";
import { spoken, withoutCode } from "./voice";
import { type Language, findingWords, sorted } from "./words";

function finding(code: string, params: Finding["params"] = {}, more: Partial<Finding> = {}): Finding {
  return { code, severity: "warning", params, message: `the server's words for ${code}`, ...more };
}

/** The server's own list: each code with the parameters that its sentence has. */
const CODES = new Map(
  [
    ...readFileSync(new URL("../../../findings/src/codes.rs", import.meta.url), "utf8").matchAll(
      /^ {4}[A-Z]\w+, "([^"]+)", (?:Info|Warning), "([^"]+)";$/gm,
    ),
  ].map(([, code = "", template = ""]) => [code, [...template.matchAll(/\{(\w+)/g)].map(([, name = ""]) => name)]),
);

describe("the English words", () => {
  it("are there for what the server finds", () => {
    const told = [...CODES.keys()].filter((code) => code in en.findings);
    expect(told.length).toBeGreaterThan(30);
  });

  it.each([...CODES])("of %s are sentences made of what the server gives", (code, names) => {
    // Without words here, the server's are shown.
    const says = en.findings[code]?.says ?? (() => "None.");
    for (const value of [1, 2]) {
      const words = spoken("en", Object.fromEntries(names.map((name) => [name, value])), says);
      expect(words, "a parameter that the server does not give").not.toBeNull();
      if (code !== "note") expect(words).toMatch(/^[A-Z0-9].*\.$/);
      expect(words).not.toMatch(/undefined|NaN|\.\./);
    }
  });

  it.each([
    ["gaps-filled", { gaps: 1, silence_ms: 20 }, "in 1 place where", "20 ms of silence"],
    ["gaps-filled", { gaps: 1200, silence_ms: 1250 }, "in 1,200 places where", "1.25 s of silence"],
    ["clock-drift", { drift_ms: -40, ppm: -12.4 }, "40 ms apart", "(\u221212 ppm)"],
    ["channel-dead", { channels: [2] }, "Channel 2 is silent", "others"],
    ["channel-dead", { channels: [1, 3, 4] }, "Channels 1, 3, and 4 are silent", "others"],
    ["loudness-missed", { reached: -18.04, target: -16, why_not: "max-gain: more gain is not allowed" }, "\u221218.0 LUFS", ": more gain is not allowed."],
    ["correction-clipped", { after_dbfs: 0.04, before_dbfs: -0.04 }, "peak 0.0 dB over", "peaks at 0.0 dBFS"],
    ["edits-ignored", { detail: "its speed is\u0007 2" }, "not be made", "its speed is 2."],
  ])("of %s fit the numbers %o", (code, params, ...parts) => {
    const { says } = findingWords(finding(code, params));
    for (const part of parts) expect(says).toContain(part);
  });

  it("give way to the server's where a number is missing or no number", () => {
    for (const params of [{}, { read_s: "1" }, { read_s: [1] }]) {
      expect(findingWords(finding("truncated", params)).says).toBe("The server's words for truncated.");
    }
  });
});

describe("what was found", () => {
  it("is told in the server's words where the code is not known", () => {
    for (const code of ["of-tomorrow", "toString", "__proto__"]) {
      expect(findingWords(finding(code))).toEqual({
        says: `The server's words for ${code}.`,
        advice: null,
        correctTrack: null,
      });
    }
    expect(findingWords(parseFinding("it was truncated")).says).toBe("It was truncated.");
  });

  it("is told in another language as far as that goes", () => {
    const de: Language = {
      tag: "de",
      findings: { "dc-offset": { says: (v) => `Gleichspannung: ${v.number("percent", 1)} %.` } },
    };
    expect(findingWords(finding("dc-offset", { percent: 1.25 }), de).says).toBe("Gleichspannung: 1,3 %.");
    expect(findingWords(finding("silent"), de).says).toBe("The server's words for silent.");
  });

  it("leads to another track where that can be heard", () => {
    const instead = (other: number | string) => findingWords(finding("track-silent", { track: 1, other })).correctTrack;
    expect(instead(2)).toEqual({ words: "Correct track 2 instead", track: 2 });
    for (const no of [0, -1, 1.5, "2"]) expect(instead(no)).toBeNull();
    expect(findingWords(finding("of-tomorrow", { other: 2 })).correctTrack).toBeNull();
  });

  it("is told once, warnings and infos apart, each in the order in which it was found", () => {
    const note = finding("note");
    const info = finding("late-start", {}, { severity: "info" });
    const again = finding("note", {}, { message: "another" });
    expect(sorted([note, info, again, { ...note }])).toEqual({ warnings: [note, again], infos: [info] });
  });
});

it("a reason is told without its code", () => {
  expect(withoutCode("max-gain: more is not allowed")).toBe("more is not allowed");
  expect(withoutCode("It has: a colon")).toBe("It has: a colon");
});
