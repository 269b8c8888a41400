import { describe, expect, it } from "vitest";
import { parseReport } from "@/api/report";
import { gaugesOf, placeOn, verdictOf } from "./verdict";

const QUIET = {
  duration_ms: 48_000,
  sample_rate: 48_000,
  integrated_lufs: -34.1,
  true_peak_dbtp: -6.8,
  noise_floor_dbfs: -45,
  voice_above_noise_db: 11.9,
  hum_hz: 50,
  hum_dbfs: -46.7,
  bandwidth_hz: 24_000,
};
const GOOD = { ...QUIET, integrated_lufs: -16, true_peak_dbtp: -1.8, voice_above_noise_db: 44.8, hum_hz: null, hum_dbfs: null };
const LOUDNESS = { what: "loudness", unit: "LUFS", target: -16, reached: -16, met: true, why_not: null };

function verdict(more: Record<string, unknown> = {}) {
  return verdictOf(parseReport({ source: "WAV", input: QUIET, output: GOOD, steps: [], targets: [LOUDNESS], ...more }));
}

const words = (said: readonly { words: string }[]) => said.map((one) => one.words);

function step(name: string, more: Record<string, unknown> = {}) {
  return { step: name, skipped: false, latency_frames: 0, cpu_ms: 1, ...more };
}

describe("the verdict", () => {
  it("says in one sentence what came of it", () => {
    expect(verdict().headline).toBe("The noise is 33 dB quieter, and it is as loud as you wanted.");
    expect(verdict({ targets: [] }).headline).toBe("The noise is 33 dB quieter.");
    expect(verdict({ targets: [{ ...LOUDNESS, met: false }] }).headline).toMatch(/^Not as loud as it was to be/);
    expect(verdict({ output: QUIET, targets: [] }).headline).toBe("Corrected.");
  });

  it("says what was heard and what was done, only where it was measured", () => {
    const { heard, did } = verdict();
    expect(words(heard)).toEqual(["Much noise", "Hum at 50 Hz", "18 dB too quiet"]);
    expect(words(did)).toEqual(["Noise 33 dB quieter", "50 Hz hum gone", "18 dB louder, now \u221216.0 LUFS"]);
    const bare = { ...QUIET, voice_above_noise_db: null, hum_hz: null, hum_dbfs: null, bandwidth_hz: null };
    expect(words(verdict({ input: bare, targets: [] }).heard)).toEqual([]);
  });

  it("owns up to what got worse, and to steps that were left out", () => {
    const { did } = verdict({
      input: { ...GOOD, integrated_lufs: -16 },
      output: { ...GOOD, voice_above_noise_db: 40 },
      steps: [step("declick", { skipped: true })],
    });
    expect(did.filter(({ good }) => !good).map((one) => one.words)).toEqual(["Noise 5 dB louder", "declick was left out"]);
  });

  it("says nothing of noise that nobody hears, neither before nor after", () => {
    const silent = (voice_above_noise_db: number) => ({ ...GOOD, voice_above_noise_db });
    const noise = (before: number, after: number) =>
      words(verdict({ input: silent(before), output: silent(after) }).did).filter((said) => said.startsWith("Noise"));
    expect(noise(80, 76)).toEqual([]);
    expect(noise(76, 80)).toEqual([]);
    expect(noise(80, 40)).toEqual(["Noise 40 dB louder"]);
  });

  it("names what a listening step found, where there are words for it", () => {
    const measurements = ["finding-clicks", "finding-of-tomorrow"].map((id) => ({ id, label: "Finding", unit: "", value: "It clicks." }));
    const { heard } = verdict({ steps: [step("diagnose", { measurements: { measurements, curves: [] } })] });
    expect(words(heard)).toContain("Clicks");
    expect(heard).toHaveLength(4);
  });

  it("says how much shorter it became", () => {
    const { did } = verdict({ output: { ...GOOD, duration_ms: 45_600 }, steps: [step("trim-silence", { cuts: [{ start: 1, frames: 2 }] })] });
    expect(words(did)).toContain("2.4 s of pauses taken out");
  });
});

describe("the gauges", () => {
  it("have before, after and target on one scale", () => {
    const [loudness] = gaugesOf(parseReport({ source: "WAV", input: QUIET, output: GOOD, steps: [], targets: [LOUDNESS] }));
    expect(loudness).toMatchObject({ key: "loudness", before: -34.1, after: -16, target: -16, met: true });
  });

  it("are left out where nothing was measured, and never go over their ends", () => {
    const input = { ...QUIET, voice_above_noise_db: null };
    const report = parseReport({ source: "WAV", input, output: { ...GOOD, voice_above_noise_db: null }, steps: [] });
    expect(gaugesOf(report).map(({ key }) => key)).toEqual(["loudness", "peak"]);
    expect([-90, -50, -27.5, 0].map((value) => placeOn({ from: -50, to: -5 }, value))).toEqual([0, 0, 0.5, 1]);
  });
});
