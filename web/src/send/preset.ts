// Presets as people read them, and which one to begin with.

import { t, told } from "@/i18n";
import { ASKED_FORMATS, type AskedFormat, type Preset } from "@/api/types";

export const PRESET_DEFAULT = "auto";
export const FORMAT_DEFAULT: AskedFormat = "auto";

/** Of a preset that is not known here its name, read as words: "late-night" -> "Late night". */
export function presetTitle(name: string): string {
  const key = `preset.${name}`;
  if (told(key)) return t(key);
  const words = name.replaceAll(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What it does: in our words where we have some, else in the server's. */
export function presetSummary({ name, summary }: Preset): string {
  const key = `preset.${name}.why`;
  return told(key) ? t(key) : summary;
}

/** The wanted preset where the server has it, else the default, else the first; before the list is here, the wanted. */
export function presetAmong(presets: readonly Preset[], wanted: string): string {
  const has = (name: string) => presets.some((preset) => preset.name === name);
  if (presets.length === 0 || has(wanted)) return wanted;
  return has(PRESET_DEFAULT) ? PRESET_DEFAULT : (presets[0]?.name ?? PRESET_DEFAULT);
}

export function formatWords(format: AskedFormat): string {
  return t(`format.${format}`);
}

export function isFormat(text: string): text is AskedFormat {
  return ASKED_FORMATS.some((format) => format === text);
}
