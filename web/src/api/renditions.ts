// Other forms of a correction, which the server makes when they are asked for.

import { listenForEnd } from "@/events/derivativeNews";
import { API, openSession } from "./client";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";
import type { Format, Job } from "./types";

/** How long one request waits, in seconds: what is short is made in that. */
const WAIT_S = 2;
/** Without a word of its end in the event stream it is asked for again after this. */
const PATIENCE_MS = 20_000;

export function renditionUrl(job: Job, format: Format): string {
  return `${API}/jobs/${encodeURIComponent(job.id)}/renditions/${format}`;
}

export function compareUrl(job: Job): string {
  return `${API}/jobs/${encodeURIComponent(job.id)}/compare`;
}

/** The same as two tracks, for browsers that cannot play that. */
export function compareTracksUrl(job: Job): string {
  return `${compareUrl(job)}.m4a`;
}

export type Side = "original" | "corrected";

export function peaksUrl(job: Job, side: Side): string {
  return `${API}/jobs/${encodeURIComponent(job.id)}/peaks/${side}`;
}

export function spectrogramUrl(job: Job, side: Side, columnsPerSecond: number, tile: number): string {
  return `${API}/jobs/${encodeURIComponent(job.id)}/spectrograms/${side}/${columnsPerSecond}/${tile}`;
}

/** Has it made, and resolves once it can be had. Asks for one byte of it: nothing is downloaded. */
export async function renditionMade(url: string, signal: AbortSignal): Promise<void> {
  try {
    // What is kept of the one byte must not stand for the whole.
    const answer = await made(url, { headers: { range: "bytes=0-0" }, cache: "no-store" }, signal);
    void answer.body?.cancel();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

type Asking = { headers?: Readonly<Record<string, string>>; cache?: RequestCache };

/** The answer with what was asked for, once it is there; made first where it is not. */
export async function made(url: string, init: Asking, signal: AbortSignal): Promise<Response> {
  await openSession();
  for (;;) {
    signal.throwIfAborted();
    // Before it is asked for, so that its end cannot be missed.
    const listening = listenForEnd(url, PATIENCE_MS);
    signal.addEventListener("abort", listening.stop, { once: true });
    try {
      const answer = await ask(url, init, signal);
      if (answer.status >= 400) throw new RequestFailed(problemFromBody(answer.status, await answer.text()));
      if (answer.status !== 202) return answer;
      void answer.body?.cancel();
      await listening.heard;
    } finally {
      listening.stop();
      signal.removeEventListener("abort", listening.stop);
    }
  }
}

async function ask(url: string, init: Asking, signal: AbortSignal): Promise<Response> {
  const headers = { ...init.headers, prefer: `wait=${WAIT_S}` };
  try {
    return await fetch(url, { ...init, headers, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ServerUnreachable(`GET ${url} got no answer`, { cause: error });
  }
}
