import { afterEach, describe, expect, it, vi } from "vitest";
import { tellEnd } from "@/events/derivativeNews";
import { RequestFailed, ServerUnreachable } from "./problem";
import { renditionMade } from "./renditions";

const URL = "/api/v1/jobs/j1/renditions/mp3";

/** Answers the session and then these, one after the other. */
function answers(...list: (Response | Error)[]) {
  const fetched = vi.fn<(url: string, init?: RequestInit) => Promise<Response>>((url) => {
    if (url.endsWith("/sessions")) return Promise.resolve(new Response("{}"));
    const next = list.shift();
    if (next === undefined) throw new Error("asked too often");
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

const made = () => new AbortController().signal;

afterEach(() => vi.unstubAllGlobals());

describe("having a rendition made", () => {
  it("asks again when it hears of the end until it is there, for one byte and without a copy of that", async () => {
    const waiting = () => new Response("{}", { status: 202 });
    const fetched = answers(waiting(), waiting(), new Response("x", { status: 206 }));
    const telling = setInterval(() => tellEnd(URL), 1);
    await renditionMade(URL, made()).finally(() => clearInterval(telling));
    const asked = fetched.mock.calls.filter(([url]) => url === URL);
    expect(asked).toHaveLength(3);
    expect(asked[0]?.[1]).toMatchObject({ headers: { range: "bytes=0-0" }, cache: "no-store" });
  });

  it("tells why it cannot be made", async () => {
    const problem = { type: "/problems/too-long", title: "t", status: 422, detail: "d" };
    answers(new Response(JSON.stringify(problem), { status: 422 }));
    await expect(renditionMade(URL, made())).rejects.toBeInstanceOf(RequestFailed);
  });

  it("tells a server that is away from one that refuses", async () => {
    answers(new TypeError("no line"));
    await expect(renditionMade(URL, made())).rejects.toBeInstanceOf(ServerUnreachable);
  });

  it("stops asking when nobody wants it any more", async () => {
    const stop = new AbortController();
    stop.abort();
    const fetched = answers();
    await renditionMade(URL, stop.signal);
    expect(fetched.mock.calls.filter(([url]) => url === URL)).toHaveLength(0);
  });
});
