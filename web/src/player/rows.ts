// The lines of the table of numbers, in words.

import type { Measurement, Report } from "@/api/report";
import { type Key, t } from "@/i18n";
import { hertz, length, level } from "@/ui/words";

export type NumberRow = { name: string; before: string; after: string };

type Line = {
  name: () => string;
  /** Null where it was not measured. */
  value: (measured: Measurement) => number | null;
  words: (measured: Measurement) => string;
};

/** In all reports. */
const MAIN: readonly Line[] = [
  levels(() => t("number.loudness"), (m) => m.integrated_lufs, "LUFS", "silence"),
  levels(() => t("number.peak"), (m) => m.true_peak_dbtp, "dBTP", "silence"),
  { name: () => t("number.length"), value: (m) => m.duration_ms, words: (m) => length(m.duration_ms) },
];

/** Left out where neither side has the number: in an older report, or because there is nothing of it. */
const MORE: readonly Line[] = [
  levels(() => t("number.momentary"), (m) => m.momentary_max_lufs, "LUFS", "silence"),
  levels(() => t("number.shortTerm"), (m) => m.short_term_max_lufs, "LUFS", "none"),
  levels(() => t("number.noise"), (m) => m.noise_floor_dbfs, "dBFS", "none"),
  levels(() => t("number.clear"), (m) => m.voice_above_noise_db, "dB", "number.unknown"),
  levels(() => t("number.hum", { hz: 50 }), (m) => (m.hum_hz === 50 ? m.hum_dbfs : null), "dBFS", "none"),
  levels(() => t("number.hum", { hz: 60 }), (m) => (m.hum_hz === 60 ? m.hum_dbfs : null), "dBFS", "none"),
  {
    name: () => t("number.bandwidth"),
    value: (m) => m.bandwidth_hz,
    words: (m) => (m.bandwidth_hz === null ? t("number.unknown") : hertz(m.bandwidth_hz)),
  },
];

export function numberRows({ input, output }: Pick<Report, "input" | "output">): NumberRow[] {
  const more = MORE.filter(({ value }) => value(input) !== null || value(output) !== null);
  return [...MAIN, ...more].map(({ name, words }) => ({ name: name(), before: words(input), after: words(output) }));
}

function levels(name: Line["name"], value: Line["value"], unit: string, none: Key): Line {
  const words = (measured: Measurement) => {
    const found = value(measured);
    return found === null ? t(none) : level(found, unit);
  };
  return { name, value, words };
}
