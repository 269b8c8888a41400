// What a step did, in words.

import type { ParamValue } from "@/api/chain";
import type { PluginMeasurement, StepReport } from "@/api/report";
import type { Plugin } from "@/api/plugins";
import { t } from "@/i18n";
import { shown, words } from "@/params/values";
import { sentence } from "@/api/problem";

/** Read by the worker, and shown where they belong: as a chain, as cuts. */
const NOT_FOR_READING = new Set(["recommended-chain", "cut"]);

/** More findings than this are a list for programs. */
const LISTED_MAX = 24;

export type Finding = { key: string; label: string; value: string };

/** Numbers with their names; texts of an analysing step are findings of their own, see `sentences`. */
export function findings(step: StepReport): Finding[] {
  return step.measurements
    .filter((measured) => !NOT_FOR_READING.has(measured.id) && !isProse(measured))
    .slice(0, LISTED_MAX)
    .map((measured, index) => ({
      key: `${measured.id} ${index}`,
      label: channelLabel(step, measured),
      value: valueWords(measured.value, measured.unit),
    }));
}

/** The channel is named where there are several: of one alone nobody asks which. */
export function channelLabel(step: StepReport, of: { label: string; channel: number | null }): string {
  const several = [...step.measurements, ...step.curves].some((other) => (other.channel ?? 0) > 0);
  return several && of.channel !== null ? `${of.label}, channel ${of.channel + 1}` : of.label;
}

/** What the plugin says in words of its own. */
export function sentences(step: StepReport): string[] {
  const prose = step.measurements.filter((measured) => !NOT_FOR_READING.has(measured.id) && isProse(measured));
  return [...new Set(prose.map((measured) => sentence(String(measured.value))))];
}

/** A text of several words is a sentence, one of a word is a value. */
function isProse(measured: PluginMeasurement): boolean {
  return typeof measured.value === "string" && measured.value.trim().includes(" ");
}

export function valueWords(value: ParamValue, unit: string): string {
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  return typeof value === "number" ? shown(rounded(value), unit) : value;
}

/** Three digits tell people enough, and of large numbers all before the point. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** How the report says that only silence came out. */
const SILENCE_DB = -120;

/** "2.1 dB louder"; below a tenth it is no change. */
export function levelChange(db: number): string {
  if (db <= SILENCE_DB) return t("step.nothingLeft");
  if (Math.abs(db) < 0.05) return t("step.unchanged");
  const change = shown(Number(Math.abs(db).toFixed(1)), "dB");
  return db > 0 ? t("step.louder", { change }) : t("step.quieter", { change });
}

/** "Took out 1.2 s in 3 places". */
export function cutWords(step: StepReport, rate: number): string | null {
  if (step.cuts.length === 0 || rate <= 0) return null;
  const seconds = step.cuts.reduce((sum, cut) => sum + cut.frames, 0) / rate;
  return t("step.cut", { count: step.cuts.length, s: shown(Number(seconds.toPrecision(3)), "s") });
}

/** "Cutoff 80 Hz, …": the settings it ran with. */
export function settingWords(step: StepReport, plugin: Plugin | undefined): string {
  return Object.entries(step.params)
    .map(([id, value]) => {
      const param = plugin?.params.find((known) => known.id === id);
      return `${param?.label ?? id} ${words(param, value)}`;
    })
    .join(", ");
}
