// Presets as people read them, and which one to begin with.

import { ASKED_FORMATS, type AskedFormat, type Preset } from "@/api/types";

export const PRESET_DEFAULT = "auto";
export const FORMAT_DEFAULT: AskedFormat = "auto";

const TITLES: Readonly<Record<string, string>> = {
  auto: "Find out what it needs",
  speech: "Speech",
  "speech-best": "Speech, best",
  "speech-room": "Speech in a room",
  music: "Music",
  "loudness-only": "Loudness only",
  external: "External service",
};

/** Of a preset that is not known here its name, read as words: "late-night" -> "Late night". */
export function presetTitle(name: string): string {
  const known = TITLES[name];
  if (known !== undefined) return known;
  const words = name.replaceAll(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The wanted preset where the server has it, else the default, else the first; before the list is here, the wanted. */
export function presetAmong(presets: readonly Preset[], wanted: string): string {
  const has = (name: string) => presets.some((preset) => preset.name === name);
  if (presets.length === 0 || has(wanted)) return wanted;
  return has(PRESET_DEFAULT) ? PRESET_DEFAULT : (presets[0]?.name ?? PRESET_DEFAULT);
}

export const FORMAT_WORDS: Readonly<Record<AskedFormat, string>> = {
  auto: "What suits the recording",
  flac: "FLAC, lossless",
  mp3: "MP3, plays everywhere",
  m4a: "M4A, for phones",
  wav: "WAV, lossless and large",
  opus: "Opus, small",
};

export function isFormat(text: string): text is AskedFormat {
  return ASKED_FORMATS.some((format) => format === text);
}
