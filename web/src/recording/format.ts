// Which container and codec to record in.

/** The best first. Every one of these is decoded by the server. */
const PREFERRED = [
  "audio/webm;codecs=opus",
  "audio/ogg;codecs=opus",
  "audio/mp4;codecs=opus",
  "audio/mp4;codecs=mp4a.40.2",
  "audio/mp4",
  "audio/webm",
];

/** Safari says that it records WebM since 18.4, but its MP4 is the one that plays and seeks. */
const PREFERRED_IN_SAFARI = ["audio/mp4;codecs=mp4a.40.2", "audio/mp4", ...PREFERRED];

/** An empty string leaves the choice to the browser, which then says what it chose. */
export function chooseRecordingType(isSupported: (type: string) => boolean, isSafari: boolean): string {
  return (isSafari ? PREFERRED_IN_SAFARI : PREFERRED).find(isSupported) ?? "";
}

const EXTENSIONS: readonly (readonly [RegExp, string])[] = [
  [/^(audio|video)\/webm/, "webm"],
  [/^(audio|application)\/ogg/, "ogg"],
  [/^(audio|video)\/(mp4|x-m4a)/, "m4a"],
  [/^audio\/(wav|x-wav|wave)/, "wav"],
];

/** "recording 2026-11-23 18.30.05.webm": local time, sorts by name, allowed on every file system. */
export function recordingName(type: string, at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = `${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}`;
  const extension = EXTENSIONS.find(([pattern]) => pattern.test(type))?.[1];
  return `recording ${day} ${clock}${extension === undefined ? "" : `.${extension}`}`;
}
