import { expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { numberRows } from "./rows";

const OLD = { duration_ms: 3000, sample_rate: 48_000, integrated_lufs: -23, true_peak_dbtp: null };

function rows(input: Record<string, unknown>, output: Record<string, unknown>): string[] {
  const report = parseReport({ source: "WAV", input: { ...OLD, ...input }, output: { ...OLD, ...output }, steps: [] });
  return numberRows(report).map(({ name, before, after }) => `${name}: ${before} | ${after}`);
}

it("an older report has three numbers", () => {
  expect(rows({}, { integrated_lufs: -16 })).toEqual([
    "Loudness: \u221223.0 LUFS | \u221216.0 LUFS",
    "True peak: silence | silence",
    "Length: 3.00 s | 3.00 s",
  ]);
});

it("what one side has is told of both", () => {
  const noisy = { noise_floor_dbfs: -50, voice_above_noise_db: 20.04, hum_hz: 50, hum_dbfs: -48.5, bandwidth_hz: 15_800 };
  const loud = { momentary_max_lufs: -14, short_term_max_lufs: -15.5 };
  expect(rows({ ...noisy, ...loud }, loud).slice(3)).toEqual([
    "Loudest 400 ms: \u221214.0 LUFS | \u221214.0 LUFS",
    "Loudest 3 s: \u221215.5 LUFS | \u221215.5 LUFS",
    "Noise floor: \u221250.0 dBFS | none",
    "Voice above noise: 20.0 dB | unknown",
    "Hum at 50 Hz: \u221248.5 dBFS | none",
    "Bandwidth: 15.8 kHz | unknown",
  ]);
});
