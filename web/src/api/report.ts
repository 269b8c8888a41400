// What was measured for a job, before and after and in each step. A plugin's own measurements are its
// author's words: whatever does not have the contract's shape is left out, the rest is still shown.

import { type ParamValue } from "./chain";
import { boolean, list, number, object, optional, text } from "./decode";
import { type PluginRef, parsePluginRef } from "./pluginRef";
import { type Problem, parseProblem } from "./problem";

/** Levels are null where there was no signal to measure. */
export type Measurement = {
  duration_ms: number;
  sample_rate: number;
  integrated_lufs: number | null;
  true_peak_dbtp: number | null;
};

export type Span = { start: number; frames: number };

export type PluginMeasurement = {
  id: string;
  label: string;
  unit: string;
  value: ParamValue;
  channel: number | null;
  span: Span | null;
};

export type Curve = {
  id: string;
  label: string;
  unit: string;
  channel: number | null;
  frames_per_point: number;
  points: number[];
};

export type StepReport = {
  step: string;
  plugin: PluginRef | null;
  skipped: boolean;
  /** Why it was skipped. */
  error: Problem | null;
  /** It ran because an analysing step asked for it. */
  recommended: boolean;
  params: Readonly<Record<string, ParamValue>>;
  measurements: PluginMeasurement[];
  curves: Curve[];
  /** The step's output against its input. */
  level_change_db: number | null;
  /** Where it shortened, in frames of its input at the stream's rate. */
  cuts: Span[];
  /** Whether what it removed can be heard. */
  delta: boolean;
  latency_frames: number;
  cpu_ms: number;
  log: string[];
};

export type Report = {
  source: string;
  input: Measurement;
  output: Measurement;
  steps: StepReport[];
};

export function parseReport(value: unknown): Report {
  const report = object(value, "report");
  return {
    source: text(report.source, "report.source"),
    input: parseMeasurement(report.input, "report.input"),
    output: parseMeasurement(report.output, "report.output"),
    steps: list(report.steps, "report.steps", parseStepReport),
  };
}

function parseMeasurement(value: unknown, where: string): Measurement {
  const measured = object(value, where);
  return {
    duration_ms: number(measured.duration_ms, `${where}.duration_ms`),
    sample_rate: number(measured.sample_rate, `${where}.sample_rate`),
    integrated_lufs: optional(measured.integrated_lufs, `${where}.integrated_lufs`, number),
    true_peak_dbtp: optional(measured.true_peak_dbtp, `${where}.true_peak_dbtp`, number),
  };
}

export function parseStepReport(value: unknown, where = "step"): StepReport {
  const step = object(value, where);
  const own = optional(step.measurements, `${where}.measurements`, object) ?? {};
  return {
    step: text(step.step, `${where}.step`),
    plugin: optional(step.plugin, `${where}.plugin`, parsePluginRef),
    skipped: boolean(step.skipped, `${where}.skipped`),
    error: optional(step.error, `${where}.error`, parseProblem),
    recommended: step.recommended === true,
    params: parseSettings(step.params),
    measurements: readable(own.measurements, parsePluginMeasurement),
    curves: readable(own.curves, parseCurve),
    level_change_db: optional(step.level_change_db, `${where}.level_change_db`, number),
    cuts: optional(step.cuts, `${where}.cuts`, (v, w) => list(v, w, parseSpan)) ?? [],
    delta: step.delta === true,
    latency_frames: number(step.latency_frames, `${where}.latency_frames`),
    cpu_ms: number(step.cpu_ms, `${where}.cpu_ms`),
    log: optional(step.log, `${where}.log`, (v, w) => list(v, w, text)) ?? [],
  };
}

function parseSettings(value: unknown): Record<string, ParamValue> {
  const settings = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(settings.filter((entry): entry is [string, ParamValue] => isParamValue(entry[1])));
}

function isParamValue(value: unknown): value is ParamValue {
  return typeof value === "number" || typeof value === "boolean" || typeof value === "string";
}

/** The entries of a plugin's list that can be read. */
function readable<T>(value: unknown, one: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry) => {
    try {
      return [one(entry)];
    } catch {
      return [];
    }
  });
}

function parsePluginMeasurement(value: unknown): PluginMeasurement {
  const measured = object(value, "measurement");
  if (!isParamValue(measured.value)) throw new TypeError("a measurement without a value");
  return {
    id: text(measured.id, "id"),
    label: text(measured.label, "label"),
    unit: text(measured.unit, "unit"),
    value: measured.value,
    channel: optional(measured.channel, "channel", number),
    span: optional(measured.span, "span", parseSpan),
  };
}

function parseSpan(value: unknown, where: string): Span {
  const span = object(value, where);
  return { start: number(span.start, `${where}.start`), frames: number(span.frames, `${where}.frames`) };
}

function parseCurve(value: unknown): Curve {
  const curve = object(value, "curve");
  return {
    id: text(curve.id, "id"),
    label: text(curve.label, "label"),
    unit: text(curve.unit, "unit"),
    channel: optional(curve.channel, "channel", number),
    frames_per_point: number(curve.frames_per_point, "frames_per_point"),
    points: list(curve.points, "points", number),
  };
}
