// Follows one stream of server-sent events for as long as it is wanted.
//
// EventSource would do for a server that never errs: any 429, 500 or 503 on reconnecting ends it for
// good. This reader connects again after every kind of end, waiting longer each time, and asks with
// `Last-Event-ID` for what it missed. A connection that says nothing for `idleMs` counts as dead: the
// server sends a comment every 15 s.

import { pause } from "@/ui/pause";
import { type ServerSentEvent, createSseParser } from "./sse";

export type StreamState = "connecting" | "live" | "waiting";

export type StreamOptions = {
  /** Resolves before each connection: a place for opening the session. */
  prepare?: () => Promise<void>;
  onEvent: (event: ServerSentEvent) => void;
  /** "live" after every connection made: whoever listens should look what happened meanwhile. */
  onState?: (state: StreamState) => void;
  /** The session is not accepted: it must be opened anew before the next connection. */
  onUnauthorized?: () => void;
  fetch?: typeof fetch;
  /** 0 to 1, as Math.random. */
  random?: () => number;
  idleMs?: number;
  retryMsMin?: number;
  retryMsMax?: number;
};

const IDLE_MS = 45_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;

/** How long to wait before trying again, after so many failures in a row: doubling, with jitter. */
export function retryDelayMs(failures: number, min: number, max: number, random: number): number {
  const ceiling = Math.min(max, min * 2 ** Math.min(failures, 16));
  return ceiling / 2 + (ceiling / 2) * random;
}

/** Seconds or an HTTP date, as milliseconds from `now`; null where there is neither. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** Runs until `signal` is aborted; then everything it holds is closed. */
export async function followStream(url: string, options: StreamOptions, signal: AbortSignal): Promise<void> {
  const { random = Math.random, retryMsMax = RETRY_MS_MAX } = options;
  let lastEventId = "";
  let retryMsMin = options.retryMsMin ?? RETRY_MS_MIN;
  let failures = 0;

  while (!signal.aborted) {
    options.onState?.("connecting");
    const asked = await connectOnce(url, lastEventId, options, signal, {
      opened: () => {
        failures = 0;
        options.onState?.("live");
      },
      place: (id) => (lastEventId = id),
      retry: (ms) => (retryMsMin = Math.min(Math.max(ms, 100), retryMsMax)),
    });
    if (isAborted(signal)) return;
    options.onState?.("waiting");
    const delay = retryDelayMs(failures, retryMsMin, retryMsMax, random());
    failures += 1;
    await pause(Math.max(delay, Math.min(asked ?? 0, retryMsMax)), signal);
  }
}

type Heard = { opened: () => void; place: (lastEventId: string) => void; retry: (ms: number) => void };

/** One connection, to its end, whatever that is. Gives back how long the server asks to stay away. */
async function connectOnce(
  url: string,
  lastEventId: string,
  options: StreamOptions,
  signal: AbortSignal,
  heard: Heard,
): Promise<number | null> {
  const connection = new AbortController();
  const close = () => connection.abort();
  signal.addEventListener("abort", close);
  let idle: ReturnType<typeof setTimeout> | undefined;
  const restartIdle = () => {
    clearTimeout(idle);
    idle = setTimeout(close, options.idleMs ?? IDLE_MS);
  };
  try {
    restartIdle();
    await options.prepare?.();
    if (signal.aborted) return null;
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (lastEventId !== "") headers["last-event-id"] = lastEventId;
    const response = await (options.fetch ?? fetch)(url, {
      headers,
      cache: "no-store",
      signal: connection.signal,
    });
    if (response.status !== 200 || response.body === null) {
      if (response.status === 401) options.onUnauthorized?.();
      await response.body?.cancel();
      return retryAfterMs(response.headers.get("retry-after"), Date.now());
    }
    heard.opened();
    const parser = createSseParser(lastEventId, heard.retry);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      restartIdle();
      const { done, value } = await reader.read();
      if (done) return null;
      const events = parser.push(value);
      heard.place(parser.lastEventId());
      for (const event of events) options.onEvent(event);
    }
  } catch {
    // Refused, cut or timed out: all of them mean the same here, try again.
    return null;
  } finally {
    clearTimeout(idle);
    signal.removeEventListener("abort", close);
    connection.abort();
  }
}

/** Asked anew after waiting: the compiler believes what it saw before the wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
