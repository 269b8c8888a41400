import { describe, expect, it } from "vitest";
import type { Job, Recording } from "@/api/types";
import { newer } from "./order";
import { NOTHING_YET, type RecordingsAction, type RecordingsState, reduce, unfinished } from "./state";

function job(id: string, fields: Partial<Job> = {}): Job {
  return {
    id,
    recording_id: "r1",
    status: "queued",
    progress: 0,
    step: null,
    attempt: 0,
    cancel_requested: false,
    error: null,
    warnings: [],
    preset: "speech",
    chain: null,
    format: "flac",
    track: null,
    created_at: new Date(Date.UTC(2026, 10, 23, 12, 0, 0)),
    ...fields,
  };
}

/** `r7` was made at minute 7. */
function recording(id: string, jobs: Job[] = []): Recording {
  const created_at = new Date(Date.UTC(2026, 10, 23, 12, Number(id.slice(1)), 0));
  const unknown = { name: null, file_name: null, duration_ms: null };
  return { id, user_email: "a@b", ...unknown, content_type: "audio/webm", size_bytes: 1, created_at, jobs };
}

function page(ids: string[], next: string | null = null): { items: Recording[]; next_page_token: string | null } {
  return { items: ids.map((id) => recording(id)), next_page_token: next };
}

function after(...actions: RecordingsAction[]): RecordingsState {
  return actions.reduce(reduce, NOTHING_YET);
}

function first(ids: string[], next: string | null = null, known: string[] = []): RecordingsAction {
  return { type: "first-page", page: page(ids, next), known: new Set(known) };
}

const ids = (state: RecordingsState) => state.recordings.map((entry) => entry.id);

/** One job's life, in the order in which it happened. */
const LIFE: Job[] = [
  job("j"),
  job("j", { status: "running", attempt: 1 }),
  job("j", { status: "running", attempt: 1, progress: 0.5 }),
  job("j", { status: "running", attempt: 1, progress: 0.5, cancel_requested: true }),
  job("j", { status: "queued", attempt: 1, progress: 0 }),
  job("j", { status: "running", attempt: 2, progress: 0 }),
  job("j", { status: "running", attempt: 2, progress: 0.9 }),
  job("j", { status: "completed", attempt: 2, progress: 1 }),
];

it("what was deleted here stays away until it is restored, and then where it was", () => {
  const gone = after(first(["r3", "r2", "r1"]), { type: "deleted", recordingId: "r2" }, first(["r3", "r2", "r1"]));
  expect(ids(gone)).toEqual(["r3", "r1"]);
  const back = reduce(gone, { type: "restored", recording: recording("r2", [job("j")]) });
  expect(ids(back)).toEqual(["r3", "r2", "r1"]);
  expect(ids(reduce(back, first(["r3", "r2", "r1"])))).toEqual(["r3", "r2", "r1"]);
});

describe("the order of a job's views", () => {
  it("is the order of its life, whichever view comes first", () => {
    for (const [i, early] of LIFE.entries()) {
      for (const late of LIFE.slice(i + 1)) {
        expect(newer(early, late)).toBe(late);
        expect(newer(late, early)).toBe(late);
      }
    }
  });

  it("holds an ended job to its end even against a later attempt's news", () => {
    const cancelled = job("j", { status: "cancelled", attempt: 1 });
    expect(newer(cancelled, job("j", { status: "running", attempt: 2 }))).toBe(cancelled);
  });
});

describe("the list of recordings", () => {
  it("is newest first, however its pages came", () => {
    expect(ids(after(first(["r3", "r2"], "t"), { type: "next-page", page: page(["r1"]) }))).toEqual(["r3", "r2", "r1"]);
    expect(ids(after(first(["r2"]), { type: "recording", recording: recording("r3") }))).toEqual(["r3", "r2"]);
  });

  it("takes a job's news from an event and keeps it against an older answer", () => {
    const queued = recording("r1", [job("j")]);
    const done = job("j", { status: "completed", attempt: 1, progress: 1 });
    const state = after(
      { type: "first-page", page: { items: [queued], next_page_token: null }, known: new Set() },
      { type: "job", job: done },
      { type: "first-page", page: { items: [queued], next_page_token: null }, known: new Set(["r1"]) },
    );
    expect(state.recordings[0]?.jobs).toEqual([done]);
    expect(unfinished(state.recordings)).toEqual([]);
  });

  it("adds a new job of a recording in front", () => {
    const again = job("k", { created_at: new Date(Date.UTC(2026, 10, 23, 13)) });
    const state = after({ type: "recording", recording: recording("r1", [job("j")]) }, { type: "job", job: again });
    expect(state.recordings[0]?.jobs.map((entry) => entry.id)).toEqual(["k", "j"]);
    expect(unfinished(state.recordings)).toHaveLength(1);
  });

  it("does not bring a deleted recording back", () => {
    const state = after(first(["r2", "r1"]), { type: "deleted", recordingId: "r1" }, first(["r2", "r1"], null, ["r1", "r2"]));
    expect(ids(state)).toEqual(["r2"]);
  });

  it("drops what was deleted elsewhere, and keeps what was sent while the list was on its way", () => {
    const state = after(
      first(["r3", "r2", "r1"]),
      { type: "recording", recording: recording("r4") },
      first(["r3", "r1"], null, ["r1", "r2", "r3"]),
    );
    expect(ids(state)).toEqual(["r4", "r3", "r1"]);
  });

  it("keeps older pages and where to go on when the newest page is read again", () => {
    const state = after(
      first(["r4", "r3"], "a"),
      { type: "next-page", page: page(["r2", "r1"], "b") },
      first(["r5", "r4"], "c", ["r1", "r2", "r3", "r4"]),
    );
    expect(ids(state)).toEqual(["r5", "r4", "r3", "r2", "r1"]);
    expect(state.nextPageToken).toBe("b");
  });

  it("starts over when the newest page has nothing in common with what is shown", () => {
    const state = after(first(["r2", "r1"], "a"), first(["r9", "r8"], "b", ["r1", "r2"]));
    expect(ids(state)).toEqual(["r9", "r8"]);
    expect(state.nextPageToken).toBe("b");
  });

  it("says that it failed only while there is nothing to show", () => {
    const trouble = { title: "t", detail: "d", next: "n", request_id: null };
    expect(after({ type: "failed", trouble }).phase).toBe("failed");
    expect(after(first(["r1"]), { type: "failed", trouble }).phase).toBe("ready");
    expect(after({ type: "failed", trouble }, first(["r1"])).trouble).toBeNull();
  });
});
