// News about jobs, out of the event stream.

import { API, forgetSession, openSession } from "@/api/client";
import { object, text } from "@/api/decode";
import { type Job, parseJob } from "@/api/types";
import { tellEnd } from "./derivativeNews";
import type { ServerSentEvent } from "./sse";
import { type StreamState, followStream } from "./stream";

/** The job an event tells of; null for events that tell of none, such as those of later versions. */
export function jobOf(event: ServerSentEvent): Job | null {
  if (!event.name.startsWith("job.")) return null;
  try {
    return parseJob(object(JSON.parse(event.text), "event").job, "event.job");
  } catch (error) {
    // One unreadable event must not end the stream; the list is read again at the next connection.
    console.warn(`the event ${event.name} ${event.id} cannot be read`, error);
    return null;
  }
}

/** The address of the thing whose end an event tells of; null for other events. */
export function endedOf(event: ServerSentEvent): string | null {
  if (!event.name.startsWith("derivative.")) return null;
  try {
    const derivative = object(object(JSON.parse(event.text), "event").derivative, "event.derivative");
    return text(object(derivative.links, "event.derivative.links").self, "event.derivative.links.self");
  } catch (error) {
    console.warn(`the event ${event.name} ${event.id} cannot be read`, error);
    return null;
  }
}

/** What happened to a recording itself; null for other events. */
export function recordingOf(event: ServerSentEvent): RecordingNews | null {
  const what = RECORDING_NEWS.find((known) => event.name === `recording.${known}`);
  if (what === undefined) return null;
  try {
    const recording = object(object(JSON.parse(event.text), "event").recording, "event.recording");
    return { what, id: text(recording.id, "event.recording.id") };
  } catch (error) {
    console.warn(`the event ${event.name} ${event.id} cannot be read`, error);
    return null;
  }
}

const RECORDING_NEWS = ["changed", "deleted", "restored"] as const;

export type RecordingNews = { what: (typeof RECORDING_NEWS)[number]; id: string };

/** One stream per tab, for all of the owner's jobs, until the signal is aborted. */
export function followJobs(
  onJob: (job: Job) => void,
  onRecording: (news: RecordingNews) => void,
  onState: (state: StreamState) => void,
  signal: AbortSignal,
): Promise<void> {
  return followStream(
    `${API}/events`,
    {
      prepare: openSession,
      onUnauthorized: forgetSession,
      onState,
      onEvent: (event) => {
        const job = jobOf(event);
        if (job !== null) onJob(job);
        const news = recordingOf(event);
        if (news !== null) onRecording(news);
        const ended = endedOf(event);
        if (ended !== null) tellEnd(ended);
      },
    },
    signal,
  );
}
