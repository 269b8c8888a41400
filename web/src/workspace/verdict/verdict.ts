// What we heard, what we did, and whether it is as it was to be: told from a report, in a person's words. Only what was
// measured before and after is claimed; what a step did besides is told by the step.

import type { Measurement, Report } from "@/api/report";
import { type Key, number, t, told } from "@/i18n";
import { hertz, level } from "@/ui/words";

export type Said = { key: string; words: string; good: boolean };

export type Verdict = {
  headline: string;
  heard: Said[];
  did: Said[];
};

/** Less noise than this below the voice is heard by everybody; above the second nobody minds. */
const NOISY_DB = 25;
const CLEAN_DB = 40;

/** So far below the voice nobody hears it, nor whether there is more or less of it. */
const INAUDIBLE_DB = 60;

/** Smaller changes are not worth a word. */
const CHANGE_MIN_DB = 1;

/** Loudness this far from what was wanted is heard as too quiet or too loud. */
const OFF_LU = 2;

/** Voices have no more below this. */
const DULL_HZ = 7000;

export function verdictOf(report: Report): Verdict {
  const heard = heardIn(report);
  const did = doneIn(report);
  return { headline: headline(report), heard, did };
}

/** By how much the noise went away beside the voice; null where there was no voice to hold it against, or none that
 * anybody heard before or hears now. */
export function noiseRemoved_db({ input, output }: Pick<Report, "input" | "output">): number | null {
  const [before, after] = [input.voice_above_noise_db, output.voice_above_noise_db];
  if (before === null || after === null || Math.min(before, after) >= INAUDIBLE_DB) return null;
  return after - before;
}

function headline(report: Report): string {
  const loudness = report.targets.find(({ what }) => what === "loudness");
  const removed = noiseRemoved_db(report);
  const db = removed !== null && removed >= CHANGE_MIN_DB ? number(removed) : null;
  if (loudness !== undefined && !loudness.met) return t("verdict.missed");
  if (db !== null) return loudness === undefined ? t("verdict.noise", { db }) : t("verdict.both", { db });
  return loudness === undefined ? t("verdict.done") : t("verdict.loud");
}

function heardIn(report: Report): Said[] {
  const { input } = report;
  const target = report.targets.find(({ what }) => what === "loudness")?.target ?? null;
  const said: Said[] = [];
  const say = (key: Key, good = false, values = {}) => said.push({ key, words: t(key, values), good });

  const clear = input.voice_above_noise_db;
  if (clear !== null) {
    if (clear < NOISY_DB) say("heard.noise");
    else if (clear < CLEAN_DB) say("heard.someNoise");
    else say("heard.noNoise", true);
  }
  if (input.hum_hz !== null) say("heard.hum", false, { hz: number(input.hum_hz) });
  if (input.integrated_lufs === null) say("heard.silent");
  else if (target !== null) {
    const off = input.integrated_lufs - target;
    if (off < -OFF_LU) say("heard.quiet", false, { db: number(-off) });
    else if (off > OFF_LU) say("heard.loud", false, { db: number(off) });
    else say("heard.loudness", true);
  }
  if (input.bandwidth_hz !== null && input.bandwidth_hz < DULL_HZ) say("heard.dull", false, { hz: hertz(input.bandwidth_hz) });
  // What a step that listens has found besides, where we have words for it.
  const listened = report.steps.flatMap((step) => step.measurements.map(({ id }) => id));
  for (const id of new Set(listened)) {
    const key = `heard.${id}`;
    if (id.startsWith("finding-") && told(key)) said.push({ key, words: t(key), good: false });
  }
  return said;
}

function doneIn(report: Report): Said[] {
  const { input, output, targets } = report;
  const said: Said[] = [];
  const say = (key: Key, good = true, values = {}) => said.push({ key, words: t(key, values), good });

  const removed = noiseRemoved_db(report);
  if (removed !== null && removed >= CHANGE_MIN_DB) say("did.noise", true, { db: number(removed) });
  else if (removed !== null && removed <= -CHANGE_MIN_DB) say("did.moreNoise", false, { db: number(-removed) });
  const hum = humRemoved(input, output);
  if (hum === "gone") say("did.humGone", true, { hz: number(input.hum_hz ?? 0) });
  else if (hum !== null) say("did.humLess", true, { db: number(hum) });
  const loudness = targets.find(({ what }) => what === "loudness");
  if (input.integrated_lufs !== null && output.integrated_lufs !== null) {
    const change = output.integrated_lufs - input.integrated_lufs;
    const values = { db: number(Math.abs(change)), lufs: level(output.integrated_lufs, "LUFS") };
    if (change >= CHANGE_MIN_DB) say("did.louder", loudness?.met ?? true, values);
    else if (change <= -CHANGE_MIN_DB) say("did.quieter", loudness?.met ?? true, values);
  }
  const shorter_s = (input.duration_ms - output.duration_ms) / 1000;
  if (report.steps.some(({ cuts, skipped }) => !skipped && cuts.length > 0) && shorter_s > 0.05) {
    say("did.cut", true, { s: number(shorter_s, 1) });
  }
  for (const step of report.steps) {
    const key = `did.step.${step.step}`;
    if (!step.skipped && told(key)) said.push({ key, words: t(key), good: true });
    if (step.skipped) said.push({ key: `skipped ${step.step}`, words: t("did.skipped", { step: step.step }), good: false });
  }
  return said;
}

/** Only a change that can be heard. */
function humRemoved(input: Measurement, output: Measurement): "gone" | number | null {
  if (input.hum_hz === null || input.hum_dbfs === null) return null;
  if (output.hum_hz === null || output.hum_dbfs === null) return "gone";
  // Against the voice: the whole may have become louder.
  const louder = (output.integrated_lufs ?? 0) - (input.integrated_lufs ?? 0);
  const less = input.hum_dbfs + louder - output.hum_dbfs;
  return less >= CHANGE_MIN_DB ? less : null;
}

export type Gauge = {
  key: "loudness" | "noise" | "peak";
  unit: string;
  from: number;
  to: number;
  before: number | null;
  after: number | null;
  target: number | null;
  /** Null where nothing was wanted. */
  met: boolean | null;
};

/** Numbers with their target drawn in; those that nobody measured are left out. */
export function gaugesOf({ input, output, targets }: Pick<Report, "input" | "output" | "targets">): Gauge[] {
  const wanted = (what: "loudness" | "true_peak") => targets.find((target) => target.what === what);
  const [loudness, peak] = [wanted("loudness"), wanted("true_peak")];
  const gauges: Gauge[] = [
    {
      key: "loudness",
      unit: "LUFS",
      from: -50,
      to: -5,
      before: input.integrated_lufs,
      after: output.integrated_lufs,
      target: loudness?.target ?? null,
      met: loudness?.met ?? null,
    },
    {
      key: "noise",
      unit: "dB",
      from: 0,
      to: 60,
      before: input.voice_above_noise_db,
      after: output.voice_above_noise_db,
      target: null,
      met: null,
    },
    {
      key: "peak",
      unit: "dBTP",
      from: -30,
      to: 3,
      before: input.true_peak_dbtp,
      after: output.true_peak_dbtp,
      target: peak?.target ?? null,
      met: peak?.met ?? null,
    },
  ];
  return gauges.filter(({ before, after }) => before !== null || after !== null);
}

/** 0 to 1 along a gauge. */
export function placeOn({ from, to }: Pick<Gauge, "from" | "to">, value: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
