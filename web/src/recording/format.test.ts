import { describe, expect, it } from "vitest";
import { chooseRecordingType, recordingName } from "./format";

/** What each browser was measured, or is documented, to record. */
const CHROMIUM = ["audio/webm", "audio/webm;codecs=opus", "audio/webm;codecs=pcm", "audio/mp4", "audio/mp4;codecs=opus"];
const FIREFOX = ["audio/webm", "audio/webm;codecs=opus", "audio/ogg;codecs=opus"];
const SAFARI_14 = ["audio/mp4", "audio/mp4;codecs=mp4a.40.2"];
const SAFARI_18 = [...SAFARI_14, "audio/webm", "audio/webm;codecs=opus"];

function check(supported: string[], isSafari: boolean, expected: string): void {
  expect(chooseRecordingType((type) => supported.includes(type), isSafari)).toBe(expected);
}

describe("the recording type", () => {
  it("is WebM with Opus in Chromium and Firefox", () => {
    check(CHROMIUM, false, "audio/webm;codecs=opus");
    check(FIREFOX, false, "audio/webm;codecs=opus");
  });

  it("is MP4 with AAC in every Safari, also where WebM is offered", () => {
    check(SAFARI_14, true, "audio/mp4;codecs=mp4a.40.2");
    check(SAFARI_18, true, "audio/mp4;codecs=mp4a.40.2");
  });

  it("is Ogg where there is no WebM, and the browser's own choice where nothing is known", () => {
    check(["audio/ogg;codecs=opus"], false, "audio/ogg;codecs=opus");
    check([], false, "");
  });
});

describe("a recording's name", () => {
  it("carries local time and the type's extension", () => {
    const at = new Date(2026, 10, 3, 8, 5, 9);
    expect(recordingName("audio/webm;codecs=opus", at)).toBe("recording 2026-11-03 08.05.09.webm");
    expect(recordingName("audio/mp4", at)).toBe("recording 2026-11-03 08.05.09.m4a");
    expect(recordingName("audio/ogg; codecs=opus", at)).toBe("recording 2026-11-03 08.05.09.ogg");
    expect(recordingName("", at)).toBe("recording 2026-11-03 08.05.09");
  });
});
