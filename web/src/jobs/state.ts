// What the page knows of its recordings, as a pure reducer: newest first, each with its jobs.

import type { Trouble } from "@/api/problem";
import type { Job, Recording, RecordingPage } from "@/api/types";
import { isEnded, newer } from "./order";

export type RecordingsState = {
  phase: "loading" | "ready" | "failed";
  /** Why the list could not be read, while there is nothing to show instead. */
  trouble: Trouble | null;
  recordings: readonly Recording[];
  nextPageToken: string | null;
  /** Deleted here: answers and events that were under way must not bring them back. */
  deleted: ReadonlySet<string>;
};

export type RecordingsAction =
  /** The newest page. `known` are the recordings listed when it was asked for. */
  | { type: "first-page"; page: RecordingPage; known: ReadonlySet<string> }
  | { type: "next-page"; page: RecordingPage }
  | { type: "recording"; recording: Recording }
  | { type: "job"; job: Job }
  | { type: "deleted"; recordingId: string }
  /** It was deleted, and is here again. */
  | { type: "restored"; recording: Recording }
  | { type: "failed"; trouble: Trouble };

export const NOTHING_YET: RecordingsState = {
  phase: "loading",
  trouble: null,
  recordings: [],
  nextPageToken: null,
  deleted: new Set(),
};

export function reduce(state: RecordingsState, action: RecordingsAction): RecordingsState {
  switch (action.type) {
    case "first-page":
      return firstPage(state, action.page, action.known);
    case "next-page": {
      const recordings = merge(state, action.page.items);
      return { ...state, recordings, nextPageToken: action.page.next_page_token };
    }
    case "recording":
      return { ...state, recordings: merge(state, [action.recording]) };
    case "job":
      return { ...state, recordings: withJob(state.recordings, action.job) };
    case "deleted":
      return {
        ...state,
        recordings: state.recordings.filter((recording) => recording.id !== action.recordingId),
        deleted: new Set([...state.deleted, action.recordingId]),
      };
    case "restored": {
      const deleted = new Set([...state.deleted].filter((id) => id !== action.recording.id));
      return { ...state, deleted, recordings: merge({ ...state, deleted }, [action.recording]) };
    }
    case "failed":
      return state.phase === "ready" ? state : { ...state, phase: "failed", trouble: action.trouble };
  }
}

function firstPage(state: RecordingsState, page: RecordingPage, known: ReadonlySet<string>): RecordingsState {
  const ready = { ...state, phase: "ready", trouble: null } as const;
  const listed = new Set(page.items.map((recording) => recording.id));
  const connected = state.recordings.some((recording) => listed.has(recording.id));
  const added = state.recordings.filter((recording) => !known.has(recording.id));
  if (!connected || page.next_page_token === null) {
    // All there is, or nothing in common with what is shown: between the two there may be more.
    const recordings = merge({ ...state, recordings: [...added, ...overlap(state, listed)] }, page.items);
    return { ...ready, recordings, nextPageToken: page.next_page_token };
  }
  const oldest = page.items.reduce((time, recording) => Math.min(time, recording.created_at.getTime()), Infinity);
  // What this page should list and does not was deleted elsewhere.
  const kept = state.recordings.filter(
    (recording) => listed.has(recording.id) || !known.has(recording.id) || recording.created_at.getTime() < oldest,
  );
  return { ...ready, recordings: merge({ ...state, recordings: kept }, page.items) };
}

function overlap(state: RecordingsState, listed: ReadonlySet<string>): Recording[] {
  return state.recordings.filter((recording) => listed.has(recording.id));
}

/** The state's recordings with these added or brought up to date, newest first. */
function merge(state: RecordingsState, arrived: readonly Recording[]): Recording[] {
  const byId = new Map(state.recordings.map((recording) => [recording.id, recording]));
  for (const recording of arrived) {
    if (state.deleted.has(recording.id)) continue;
    const known = byId.get(recording.id);
    const jobs = [...(known?.jobs ?? []), ...recording.jobs].reduce<readonly Job[]>(addJob, []);
    byId.set(recording.id, { ...recording, jobs: [...jobs] });
  }
  return [...byId.values()].sort((a, b) => b.created_at.getTime() - a.created_at.getTime() || compare(b.id, a.id));
}

function withJob(recordings: readonly Recording[], job: Job): readonly Recording[] {
  return recordings.map((recording) =>
    recording.id === job.recording_id ? { ...recording, jobs: [...addJob(recording.jobs, job)] } : recording,
  );
}

/** Newest job first. */
function addJob(jobs: readonly Job[], job: Job): readonly Job[] {
  const known = jobs.find((other) => other.id === job.id);
  if (known !== undefined) return jobs.map((other) => (other === known ? newer(known, job) : other));
  return [...jobs, job].sort((a, b) => b.created_at.getTime() - a.created_at.getTime() || compare(b.id, a.id));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The recordings that have a job which has not ended. */
export function unfinished(recordings: readonly Recording[]): Recording[] {
  return recordings.filter((recording) => recording.jobs.some((job) => !isEnded(job)));
}
