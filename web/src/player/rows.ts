// The lines of the table of numbers, in words.

import type { Measurement, Report } from "@/api/report";
import { hertz, length, level } from "@/ui/words";

export type NumberRow = { name: string; before: string; after: string };

type Line = {
  name: string;
  /** Null where it was not measured. */
  value: (measured: Measurement) => number | null;
  words: (measured: Measurement) => string;
};

/** In all reports. */
const MAIN: readonly Line[] = [
  levels("Loudness", (m) => m.integrated_lufs, "LUFS", "silence"),
  levels("True peak", (m) => m.true_peak_dbtp, "dBTP", "silence"),
  { name: "Length", value: (m) => m.duration_ms, words: (m) => length(m.duration_ms) },
];

/** Left out where neither side has the number: in an older report, or because there is nothing of it. */
const MORE: readonly Line[] = [
  levels("Loudest 400 ms", (m) => m.momentary_max_lufs, "LUFS", "silence"),
  levels("Loudest 3 s", (m) => m.short_term_max_lufs, "LUFS", "none"),
  levels("Noise floor", (m) => m.noise_floor_dbfs, "dBFS", "none"),
  levels("Voice above noise", (m) => m.voice_above_noise_db, "dB", "unknown"),
  levels("Hum at 50 Hz", (m) => (m.hum_hz === 50 ? m.hum_dbfs : null), "dBFS", "none"),
  levels("Hum at 60 Hz", (m) => (m.hum_hz === 60 ? m.hum_dbfs : null), "dBFS", "none"),
  {
    name: "Bandwidth",
    value: (m) => m.bandwidth_hz,
    words: (m) => (m.bandwidth_hz === null ? "unknown" : hertz(m.bandwidth_hz)),
  },
];

export function numberRows({ input, output }: Pick<Report, "input" | "output">): NumberRow[] {
  const more = MORE.filter(({ value }) => value(input) !== null || value(output) !== null);
  return [...MAIN, ...more].map(({ name, words }) => ({ name, before: words(input), after: words(output) }));
}

function levels(name: string, value: Line["value"], unit: string, none: string): Line {
  const words = (measured: Measurement) => {
    const found = value(measured);
    return found === null ? none : level(found, unit);
  };
  return { name, value, words };
}
