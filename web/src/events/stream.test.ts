// The reader against a real HTTP server on the loopback interface that misbehaves as told.

import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { ServerSentEvent } from "./sse";
import { type StreamOptions, followStream, retryAfterMs, retryDelayMs } from "./stream";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that gives the n-th connection the n-th answer, and the last answer ever after. */
async function serve(answers: Answer[]): Promise<{ url: string; requests: IncomingMessage[]; server: Server }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  }));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, requests, server };
}

function events(text: string, end = false): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text);
    if (end) response.end();
  };
}

function refuse(status: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(status, headers).end("{}");
}

/** Follows until `enough` events came; fails after the test's own deadline otherwise. */
async function follow(url: string, enough: number, options: Partial<StreamOptions> = {}): Promise<ServerSentEvent[]> {
  const stop = new AbortController();
  closers.push(() => stop.abort());
  const heard: ServerSentEvent[] = [];
  await followStream(
    url,
    {
      retryMsMin: 1,
      retryMsMax: 20,
      ...options,
      onEvent: (event) => {
        heard.push(event);
        if (heard.length === enough) stop.abort();
      },
    },
    stop.signal,
  );
  return heard;
}

describe("the follower of the event stream", () => {
  it("hears events as they come", async () => {
    const { url, requests } = await serve([events("id: 1\nevent: job.queued\ndata: a\n\nid: 2\ndata: b\n\n")]);
    expect(await follow(url, 2)).toEqual([
      { name: "job.queued", text: "a", id: "1" },
      { name: "message", text: "b", id: "2" },
    ]);
    expect(requests[0]?.headers["last-event-id"]).toBeUndefined();
    expect(requests[0]?.headers.accept).toBe("text/event-stream");
  });

  it("goes on where it stopped, after an end, a 503, a 429 and a cut connection", async () => {
    const { url, requests } = await serve([
      events("id: 41\ndata: a\n\n", true),
      refuse(503),
      refuse(429, { "retry-after": "0" }),
      (request) => request.socket.destroy(),
      events("id: 42\ndata: b\n\n"),
    ]);
    expect((await follow(url, 2)).map((event) => event.text)).toEqual(["a", "b"]);
    expect(requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "41", "41", "41", "41"]);
  });

  it("keeps the last id when an event without one follows a reconnection", async () => {
    const { url, requests } = await serve([
      events("id: 5\ndata: a\n\n", true),
      events("event: bye\ndata: b\n\n", true),
      events("id: 6\ndata: c\n\n"),
    ]);
    await follow(url, 3);
    expect(requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "5", "5"]);
  });

  it("goes on from where the server said that it began, if no event came before the end", async () => {
    const { url, requests } = await serve([events("retry: 1\nid: 17\n\n", true), events("id: 18\ndata: a\n\n")]);
    await follow(url, 1);
    expect(requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "17"]);
  });

  it("gives up a connection that has gone silent, and comments keep one alive", async () => {
    let ticks: ReturnType<typeof setInterval> | undefined;
    closers.push(() => clearInterval(ticks));
    const { url, requests } = await serve([
      events("id: 1\ndata: a\n\n"),
      (_request, response) => {
        events("id: 2\ndata: b\n\n")(_request, response);
        let beats = 0;
        ticks = setInterval(() => {
          beats += 1;
          response.write(beats < 12 ? ": keep-alive\n\n" : "id: 3\ndata: c\n\n");
        }, 25);
      },
    ]);
    // Twelve beats last longer than the idle time-out; only the comments hold the second connection.
    expect((await follow(url, 3, { idleMs: 200 })).map((event) => event.text)).toEqual(["a", "b", "c"]);
    expect(requests).toHaveLength(2);
  });

  it("asks for a new session when it is refused, and prepares before every connection", async () => {
    const { url } = await serve([refuse(401), events("data: a\n\n")]);
    const calls: string[] = [];
    await follow(url, 1, {
      prepare: () => {
        calls.push("prepare");
        return Promise.resolve();
      },
      onUnauthorized: () => calls.push("unauthorized"),
    });
    expect(calls).toEqual(["prepare", "unauthorized", "prepare"]);
  });

  it("tells when it is live and when it waits", async () => {
    const { url } = await serve([refuse(503), events("data: a\n\n")]);
    const states: string[] = [];
    await follow(url, 1, { onState: (state) => states.push(state) });
    expect(states).toEqual(["connecting", "waiting", "connecting", "live"]);
  });

  it("closes its connection when it is no longer wanted", async () => {
    const { url, requests } = await serve([events("data: a\n\n")]);
    await follow(url, 1);
    await expect.poll(() => requests[0]?.socket.destroyed).toBe(true);
  });
});

describe("waiting before another try", () => {
  it("doubles up to the longest wait and never falls below half of it", () => {
    expect([0, 1, 2, 3, 99].map((n) => retryDelayMs(n, 500, 3000, 1))).toEqual([500, 1000, 2000, 3000, 3000]);
    expect(retryDelayMs(0, 500, 3000, 0)).toBe(250);
  });

  it("reads Retry-After as seconds or as a date", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    expect(retryAfterMs("3", now)).toBe(3000);
    expect(retryAfterMs("Mon, 23 Nov 2026 12:00:05 GMT", now)).toBe(5000);
    expect(retryAfterMs("soon", now)).toBeNull();
    expect(retryAfterMs(null, now)).toBeNull();
  });
});
