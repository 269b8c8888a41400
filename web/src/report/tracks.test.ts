import { describe, expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { trackWords, usedTrackWords } from "./tracks";

const MEASURED = { duration_ms: 1000, sample_rate: 48_000 };

function tracks(...fields: Record<string, unknown>[]) {
  const made = fields.map((track, index) => ({ track: index + 1, ...track }));
  return parseReport({ source: "MP4", input: MEASURED, output: MEASURED, steps: [], tracks: made }).tracks;
}

describe("a track in words", () => {
  it.each([
    [{ name: "Commentary", language: "eng", codec: "AAC", channels: 2 }, "Track 1: Commentary, English, AAC, stereo"],
    [{ language: "pt-BR", codec: "Opus", channels: 6 }, "Track 1: Brazilian Portuguese, Opus, 6 channels"],
    [{ language: "und", channels: 1 }, "Track 1: mono"],
    [{ language: "no language at all" }, "Track 1: no language at all"],
    [{ name: "" }, "Track 1"],
  ])("of %o", (fields, words) => expect(tracks(fields).map(trackWords)).toEqual([words]));

  it("is told of the one that was used, where there were several", () => {
    expect(usedTrackWords(tracks({ codec: "AAC" }, { codec: "AC-3", used: true }))).toBe("Track 2: AC-3 (of 2)");
    expect(usedTrackWords(tracks({ codec: "AAC", used: true }))).toBeNull();
    expect(usedTrackWords(tracks({}, {}))).toBeNull();
  });
});
