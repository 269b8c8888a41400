// The addresses of recordings, jobs and presets, one function each. Uploading is in upload.ts; what is not needed at
// once has modules of its own.

import type { Wish } from "./chain";
import { API, request } from "./client";
import {
  type Accepted,
  type AskedFormat,
  type Job,
  type Preset,
  type Recording,
  type RecordingPage,
  parseAccepted,
  parsePresets,
  parseRecording,
  parseRecordingPage,
} from "./types";

type Signal = AbortSignal | undefined;

const segment = encodeURIComponent;

export async function listRecordings(pageToken: string | null, signal?: Signal): Promise<RecordingPage> {
  const query = pageToken === null ? "" : `?page_token=${segment(pageToken)}`;
  return parseRecordingPage(await request(`/recordings${query}`, { signal }));
}

export async function getRecording(id: string, signal?: Signal): Promise<Recording> {
  return parseRecording(await request(`/recordings/${segment(id)}`, { signal }));
}

export async function deleteRecording(id: string): Promise<void> {
  await request(`/recordings/${segment(id)}`, { method: "DELETE" });
}

/** `track` counts from 1; null leaves the choice to the server. */
export async function correctAgain(
  recordingId: string,
  wish: Wish,
  format: AskedFormat,
  track: number | null,
): Promise<Accepted> {
  // An older server does not know the field.
  const body = track === null ? { ...wish, format } : { ...wish, format, track };
  return parseAccepted(await request(`/recordings/${segment(recordingId)}/jobs`, { method: "POST", body }));
}

/** Resolves when the wish is noted; that the job has stopped is told by its event. */
export async function cancelJob(id: string): Promise<void> {
  await request(`/jobs/${segment(id)}/cancel`, { method: "POST" });
}

export async function listPresets(signal?: Signal): Promise<Preset[]> {
  return parsePresets(await request("/presets", { signal }));
}

export function originalAudioUrl(recording: Recording): string {
  return `${API}/recordings/${segment(recording.id)}/audio`;
}

export function correctedAudioUrl(job: Job): string {
  return `${API}/jobs/${segment(job.id)}/audio`;
}

/** What a step removed; `step` is its place in the report. */
export function deltaAudioUrl(job: Job, step: number): string {
  return `${API}/jobs/${segment(job.id)}/steps/${step}/delta`;
}
