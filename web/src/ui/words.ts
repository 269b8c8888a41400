// Numbers and times as people read them.

import { locale, number, t } from "@/i18n";

export const MINUS = "\u2212";

/** "0:03", "12:40", "1:02:05". */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** "3.21 s" for short recordings, a clock for those of a minute and more. */
export function length(ms: number): string {
  return ms < 60_000 ? `${number(ms / 1000, 2)} s` : clock(ms);
}

/** "731 B", "46 kB", "1.8 MB": powers of 1000, as file managers show. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${unit === units.length - 1 ? value.toFixed(digits) : number(value, digits)} ${units[unit] ?? ""}`;
}

/** "−23.1 LUFS"; a level that could not be measured is silence. */
export function level(value: number | null, unit: string): string {
  if (value === null) return t("silence");
  return `${number(value, 1)} ${unit}`.trimEnd();
}

/** "50 Hz", "3.4 kHz" */
export function hertz(value: number): string {
  if (value < 1000) return `${Math.round(value)} Hz`;
  const thousands = Number((value / 1000).toFixed(1));
  return `${number(thousands, Number.isInteger(thousands) ? 0 : 1)} kHz`;
}

export function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, fraction)) * 100)} %`;
}

/** Of control, of the direction of text, of no width; the same list as the server's (`words/`). Lines
 * stay lines, and joiners, which some scripts need, are none of these. */
const HIDDEN =
  /(?!\n)[\p{Cc}\p{Bidi_Control}\u{ad}\u{200b}\u{2028}\u{2029}\u{2060}-\u{2064}\u{206a}-\u{206f}\u{feff}\u{fff9}-\u{fffb}\u{e0000}-\u{e007f}]/gu;

export function visible(text: string): string {
  return text.replace(HIDDEN, "");
}

export function dayAndTime(date: Date): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(date);
}
