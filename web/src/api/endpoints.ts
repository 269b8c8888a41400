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

/** Empty is any, and the usual order: the newest first. */
export type Listing = { search: string; status: string; sort: string };

export const ANY: Listing = { search: "", status: "", sort: "" };

export async function listRecordings(pageToken: string | null, signal?: Signal, listing = ANY): Promise<RecordingPage> {
  const asked = { q: listing.search, status: listing.status, sort: listing.sort, page_token: pageToken ?? "" };
  const given = Object.entries(asked).filter(([, value]) => value !== "");
  const query = given.map(([name, value]) => `${name}=${segment(value)}`).join("&");
  return parseRecordingPage(await request(`/recordings${query === "" ? "" : `?${query}`}`, { signal }));
}

/** Null takes the name away: it is called as the file is. */
export async function renameRecording(id: string, name: string | null): Promise<Recording> {
  return parseRecording(await request(`/recordings/${segment(id)}`, { method: "PATCH", body: { name } }));
}

/** Takes it back, while that can be. */
export async function restoreRecording(id: string): Promise<Recording> {
  return parseRecording(await request(`/recordings/${segment(id)}/restore`, { method: "POST" }));
}

export async function getRecording(id: string, signal?: Signal): Promise<Recording> {
  return parseRecording(await request(`/recordings/${segment(id)}`, { signal }));
}

/** For a while it can be taken back, unless it is to be gone for good at once. */
export async function deleteRecording(id: string, { forever = false } = {}): Promise<void> {
  await request(`/recordings/${segment(id)}${forever ? "?forever=true" : ""}`, { method: "DELETE" });
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
