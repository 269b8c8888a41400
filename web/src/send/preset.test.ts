import { describe, expect, it } from "vitest";
import { isFormat, presetAmong, presetTitle } from "./preset";

const named = (...names: string[]) => names.map((name) => ({ name, summary: "", chain: { steps: [] } }));

describe("the preset", () => {
  it("is the one wanted, where the server has it or has not told yet", () => {
    expect(presetAmong(named("speech", "music"), "music")).toBe("music");
    expect(presetAmong([], "music")).toBe("music");
  });

  it("is auto, or else the first, where the wanted one has gone", () => {
    expect(presetAmong(named("music", "auto"), "gone")).toBe("auto");
    expect(presetAmong(named("music", "external"), "gone")).toBe("music");
  });

  it("has a title that can be read, also where this page does not know it", () => {
    expect(presetTitle("auto")).toBe("Find out what it needs");
    expect(presetTitle("late-night_radio")).toBe("Late night radio");
  });
});

describe("the format", () => {
  it("is one of those the server writes", () => {
    expect(["flac", "wav", "opus", "mp3", "m4a", "aac", ""].map(isFormat)).toEqual([true, true, true, true, true, false, false]);
  });
});
