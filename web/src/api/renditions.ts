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

/** Has it made, and resolves once it can be had. Asks for one byte of it: nothing is downloaded. */
export async function renditionMade(url: string, signal: AbortSignal): Promise<void> {
  await openSession();
  while (!signal.aborted) {
    // Before it is asked for, so that its end cannot be missed.
    const listening = listenForEnd(url, PATIENCE_MS);
    signal.addEventListener("abort", listening.stop, { once: true });
    try {
      const answer = await ask(url, signal);
      if (answer.status >= 400) throw new RequestFailed(problemFromBody(answer.status, await answer.text()));
      void answer.body?.cancel();
      if (answer.status !== 202) return;
      await listening.heard;
    } finally {
      listening.stop();
      signal.removeEventListener("abort", listening.stop);
    }
  }
}

async function ask(url: string, signal: AbortSignal): Promise<Response> {
  const headers = { range: "bytes=0-0", prefer: `wait=${WAIT_S}` };
  try {
    // What is kept of the one byte must not stand for the whole.
    return await fetch(url, { headers, signal, cache: "no-store" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ServerUnreachable(`GET ${url} got no answer`, { cause: error });
  }
}
