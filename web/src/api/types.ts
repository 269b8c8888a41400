// The nouns of the HTTP API, version 1, and how each is read from JSON. Field names are the API's
// own, so that what stands here can be compared with docs/ at a glance.

import { type Chain, parseChain } from "./chain";
import { type Described, described, list, number, object, oneOf, optional, text, time } from "./decode";
import { type Finding, parseFinding } from "./finding";
import { type Problem, parseProblem } from "./problem";

export type Status = Described["Status"];
export const STATUSES = ["queued", "running", "completed", "failed", "cancelled"] as const satisfies Status[];

export type Format = Exclude<Described["Format"], "auto">;
export const FORMATS = ["flac", "mp3", "m4a", "wav", "opus"] as const satisfies Format[];

/** `auto`: what suits the recording. A completed job says what that was. */
export const ASKED_FORMATS = ["auto", ...FORMATS] as const;
export type AskedFormat = Described["Format"];

export type Job = Pick<
  Described["Job"],
  | "id"
  | "recording_id"
  | "progress"
  | "step"
  | "attempt"
  | "cancel_requested"
  | "status"
  | "preset"
  | "format"
  | "track"
> & {
  error: Problem | null;
  warnings: Finding[];
  chain: Chain | null;
  created_at: Date;
};

export type Recording = Pick<
  Described["Recording"],
  "id" | "user_email" | "file_name" | "content_type" | "size_bytes"
> & {
  created_at: Date;
  /** What its owner calls it; null for what the file is called. */
  name: string | null;
  /** Known once a job of it is completed. */
  duration_ms: number | null;
  /** Those that are known, in the server's order; sort by `created_at` where order matters. */
  jobs: Job[];
  /** How many there are, where that was said. */
  job_count?: number;
};

export type RecordingPage = { items: Recording[]; next_page_token: string | null };

export type Preset = { name: string; summary: string; chain: Chain };

/** What a POST that makes a job answers. */
export type Accepted = { recording_id: string; job: Job };

export function parseJob(value: unknown, where = "job"): Job {
  const job = described("Job", value, where);
  return {
    id: text(job.id, `${where}.id`),
    recording_id: text(job.recording_id, `${where}.recording_id`),
    status: oneOf(job.status, `${where}.status`, STATUSES),
    progress: Math.min(1, Math.max(0, number(job.progress, `${where}.progress`))),
    step: optional(job.step, `${where}.step`, text),
    attempt: number(job.attempt, `${where}.attempt`),
    cancel_requested: job.cancel_requested === true,
    error: optional(job.error, `${where}.error`, parseProblem),
    warnings: optional(job.warnings, `${where}.warnings`, (v, w) => list(v, w, parseFinding)) ?? [],
    preset: optional(job.preset, `${where}.preset`, text),
    chain: optional(job.chain, `${where}.chain`, parseChain),
    format: oneOf(job.format, `${where}.format`, ASKED_FORMATS),
    track: optional(job.track, `${where}.track`, number),
    created_at: time(job.created_at, `${where}.created_at`),
  };
}

export function parseRecording(value: unknown, where = "recording"): Recording {
  const recording = described("Recording", value, where);
  // A list shows the newest job only.
  const newest = [optional(recording.newest_job, `${where}.newest_job`, parseJob)].filter((job) => job !== null);
  const counts = optional(recording.job_counts, `${where}.job_counts`, object);
  return {
    id: text(recording.id, `${where}.id`),
    user_email: text(recording.user_email, `${where}.user_email`),
    file_name: optional(recording.file_name, `${where}.file_name`, text),
    content_type: text(recording.content_type, `${where}.content_type`),
    size_bytes: number(recording.size_bytes, `${where}.size_bytes`),
    created_at: time(recording.created_at, `${where}.created_at`),
    name: optional(recording.name, `${where}.name`, text),
    duration_ms: optional(recording.duration_ms, `${where}.duration_ms`, number),
    jobs: optional(recording.jobs, `${where}.jobs`, (v, w) => list(v, w, parseJob)) ?? newest,
    ...(counts === null ? {} : { job_count: number(counts.total, `${where}.job_counts.total`) }),
  };
}

export function parseRecordingPage(value: unknown): RecordingPage {
  const page = described("RecordingPage", value, "recordings");
  return {
    items: list(page.items, "recordings.items", parseRecording),
    next_page_token: optional(page.next_page_token, "recordings.next_page_token", text),
  };
}

export function parsePresets(value: unknown): Preset[] {
  return list(described("PresetPage", value, "presets").items, "presets.items", (entry, where) => {
    const preset = described("Preset", entry, where);
    return {
      name: text(preset.name, `${where}.name`),
      summary: text(preset.summary, `${where}.summary`),
      chain: parseChain(preset.chain, `${where}.chain`),
    };
  });
}

export function parseAccepted(value: unknown): Accepted {
  const job = parseJob(described("Accepted", value, "answer").job, "answer.job");
  return { recording_id: job.recording_id, job };
}
