// Keeps the list of recordings up to date: reads it, follows the event stream, reads again whenever
// something may have been missed. The server's record is the truth; events only make it quick.

import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { getRecording, listRecordings } from "@/api/endpoints";
import { type Trouble, describe } from "@/api/problem";
import type { Job, Recording } from "@/api/types";
import { type RecordingNews, followJobs } from "@/events/jobEvents";
import type { StreamState } from "@/events/stream";
import { isEnded } from "./order";
import { NOTHING_YET, type RecordingsState, reduce, unfinished } from "./state";

/** How often to ask while a job is under way and the stream is down. */
const POLL_MS = 4000;
/** The same while the stream is there: news may be lost, the record never is. */
const SAFETY_POLL_MS = 20_000;

/** A list names only the newest job of each: whether there are others that are not known, or that may have gone on. */
function hasMore(listed: Recording, before: readonly Recording[]): boolean {
  const jobs = before.find((recording) => recording.id === listed.id)?.jobs ?? [];
  const others = jobs.filter((job) => job.id !== listed.jobs[0]?.id);
  return (listed.job_count ?? 0) > others.length + 1 || others.some((job) => !isEnded(job));
}

export type Recordings = {
  state: RecordingsState;
  stream: StreamState;
  loadMore: () => Promise<Trouble | null>;
  refresh: () => void;
  added: (recording: Recording) => void;
  jobChanged: (job: Job) => void;
  deleted: (recordingId: string) => void;
  restored: (recording: Recording) => void;
};

export function useRecordings(): Recordings {
  const [state, dispatch] = useReducer(reduce, NOTHING_YET);
  const [stream, setStream] = useState<StreamState>("connecting");
  const reading = useRef({ now: false, again: false });
  const latest = useRef(state);
  useEffect(() => {
    latest.current = state;
  }, [state]);

  const refresh = useCallback(async () => {
    const turn = reading.current;
    if (turn.now) {
      turn.again = true;
      return;
    }
    turn.now = true;
    try {
      do {
        turn.again = false;
        const before = latest.current.recordings;
        const page = await listRecordings(null);
        dispatch({ type: "first-page", page, known: new Set(before.map((recording) => recording.id)) });
        const listed = new Set(page.items.map((recording) => recording.id));
        const elsewhere = unfinished(before).filter((entry) => !listed.has(entry.id));
        for (const recording of [...elsewhere, ...page.items.filter((entry) => hasMore(entry, before))]) {
          dispatch({ type: "recording", recording: await getRecording(recording.id) });
        }
      } while (turn.again as boolean);
    } catch (error) {
      dispatch({ type: "failed", trouble: describe(error) });
    } finally {
      turn.now = false;
    }
  }, []);

  useEffect(() => {
    const stop = new AbortController();
    const asked = new Set<string>();
    const onJob = (job: Job) => {
      const { recordings, deleted } = latest.current;
      dispatch({ type: "job", job });
      const id = job.recording_id;
      if (deleted.has(id) || asked.has(id) || recordings.some((recording) => recording.id === id)) return;
      // Sent from another tab or by another client with this session.
      asked.add(id);
      getRecording(id, stop.signal).then(
        (recording) => dispatch({ type: "recording", recording }),
        () => undefined, // deleted by now, or the next refresh finds it
      );
    };
    const onRecording = ({ what, id }: RecordingNews) => {
      if (what === "deleted") {
        dispatch({ type: "deleted", recordingId: id });
        return;
      }
      getRecording(id, stop.signal).then(
        (recording) => dispatch({ type: what === "restored" ? "restored" : "recording", recording }),
        () => undefined, // deleted by now, or the next refresh finds it
      );
    };
    const onState = (next: StreamState) => {
      setStream(next);
      if (next === "live") void refresh();
    };
    // Timers and connections sleep in hidden tabs and on closed laptops.
    const onVisible = () => {
      if (document.visibilityState === "visible") void refresh();
    };
    document.addEventListener("visibilitychange", onVisible);
    void refresh();
    void followJobs(onJob, onRecording, onState, stop.signal);
    return () => {
      document.removeEventListener("visibilitychange", onVisible);
      stop.abort();
    };
  }, [refresh]);

  const waiting = state.phase === "failed" || unfinished(state.recordings).length > 0;
  const pollMs = stream === "live" ? SAFETY_POLL_MS : POLL_MS;
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(() => void refresh(), pollMs);
    return () => clearInterval(timer);
  }, [waiting, pollMs, refresh]);

  const loadMore = useCallback(async (): Promise<Trouble | null> => {
    const token = latest.current.nextPageToken;
    if (token === null) return null;
    try {
      dispatch({ type: "next-page", page: await listRecordings(token) });
      return null;
    } catch (error) {
      return describe(error);
    }
  }, []);

  return useMemo(
    () => ({
      state,
      stream,
      loadMore,
      refresh: () => void refresh(),
      added: (recording) => dispatch({ type: "recording", recording }),
      jobChanged: (job) => dispatch({ type: "job", job }),
      deleted: (recordingId) => dispatch({ type: "deleted", recordingId }),
      restored: (recording) => dispatch({ type: "restored", recording }),
    }),
    [state, stream, loadMore, refresh],
  );
}
