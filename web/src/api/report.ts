// What was measured for a job, before and after and in each step. A plugin's own measurements are its
// author's words: whatever does not have the contract's shape is left out, the rest is still shown.

import { type ParamValue } from "./chain";
import { type Described, boolean, described, list, number, object, optional, text } from "./decode";
import { type Finding, parseFinding } from "./finding";
import { type LoudnessCurve, parseLoudnessCurve } from "./loudness";
import { type PluginRef, parsePluginRef } from "./pluginRef";
import { type Problem, parseProblem } from "./problem";

/**
 * Levels are null where there was no signal to measure. What comes after the true peak is null as well
 * in reports of before 0.2.
 */
export type Measurement = Pick<
  Described["Measurement"],
  | "duration_ms"
  | "sample_rate"
  | "integrated_lufs"
  | "true_peak_dbtp"
  | "momentary_max_lufs"
  | "short_term_max_lufs"
  | "noise_floor_dbfs"
  | "voice_above_noise_db"
  | "hum_hz"
  | "hum_dbfs"
  | "bandwidth_hz"
> & { channels: number | null; loudness_curve: LoudnessCurve | null };

/** One of the tracks that a file has. */
export type Track = Omit<Described["Track"], "codec"> & { codec: string | null };

/** What the correction was to reach. */
export type Target = Omit<Described["Target"], "what" | "unit"> & { what: "loudness" | "true_peak"; unit: string };

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
  /** About the file, the recording, the steps and the correction. */
  findings: Finding[];
  /** Empty in reports of before 0.2. */
  tracks: Track[];
  targets: Target[];
  steps: StepReport[];
};

export function parseReport(value: unknown): Report {
  const report = described("Report", value, "report");
  return {
    source: text(report.source, "report.source"),
    input: parseMeasurement(report.input, "report.input"),
    output: parseMeasurement(report.output, "report.output"),
    findings: optional(report.findings, "report.findings", (v, w) => list(v, w, parseFinding)) ?? [],
    tracks: optional(report.tracks, "report.tracks", (v, w) => list(v, w, parseTrack)) ?? [],
    targets: optional(report.targets, "report.targets", (v, w) => list(v, w, parseTarget).flat()) ?? [],
    steps: list(report.steps, "report.steps", parseStepReport),
  };
}

function parseMeasurement(value: unknown, where: string): Measurement {
  const measured = described("Measurement", value, where);
  const perhaps = (name: keyof Measurement) => optional(measured[name], `${where}.${name}`, number);
  return {
    duration_ms: number(measured.duration_ms, `${where}.duration_ms`),
    sample_rate: number(measured.sample_rate, `${where}.sample_rate`),
    channels: perhaps("channels"),
    integrated_lufs: perhaps("integrated_lufs"),
    true_peak_dbtp: perhaps("true_peak_dbtp"),
    momentary_max_lufs: perhaps("momentary_max_lufs"),
    short_term_max_lufs: perhaps("short_term_max_lufs"),
    noise_floor_dbfs: perhaps("noise_floor_dbfs"),
    voice_above_noise_db: perhaps("voice_above_noise_db"),
    hum_hz: perhaps("hum_hz"),
    hum_dbfs: perhaps("hum_dbfs"),
    bandwidth_hz: perhaps("bandwidth_hz"),
    loudness_curve: optional(measured.loudness_curve, `${where}.loudness_curve`, parseLoudnessCurve),
  };
}

function parseTrack(value: unknown, where: string): Track {
  const track = described("Track", value, where);
  return {
    track: number(track.track, `${where}.track`),
    codec: optional(track.codec, `${where}.codec`, text),
    channels: optional(track.channels, `${where}.channels`, number),
    sample_rate: optional(track.sample_rate, `${where}.sample_rate`, number),
    name: optional(track.name, `${where}.name`, text),
    language: optional(track.language, `${where}.language`, text),
    default: track.default === true,
    used: track.used === true,
  };
}

const TARGETS = ["loudness", "true_peak"] as const satisfies readonly Target["what"][];

/** A newer server may have targets of kinds that are not known here: those are left out. */
function parseTarget(value: unknown, where: string): Target[] {
  const target = described("Target", value, where);
  const what = TARGETS.find((known) => known === target.what);
  if (what === undefined) return [];
  return [
    {
      what,
      unit: text(target.unit, `${where}.unit`),
      target: number(target.target, `${where}.target`),
      reached: optional(target.reached, `${where}.reached`, number),
      met: boolean(target.met, `${where}.met`),
      why_not: optional(target.why_not, `${where}.why_not`, text),
    },
  ];
}

export function parseStepReport(value: unknown, where = "step"): StepReport {
  const step = described("StepReport", value, where);
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
    value: typeof measured.value === "string" ? text(measured.value, "value") : measured.value,
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
