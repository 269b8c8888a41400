import { afterEach, describe, expect, it, vi } from "vitest";
import { RequestFailed } from "./problem";
import { createShare, getShared, sharesOf } from "./shares";

const SHARE = {
  id: "s1",
  recording_id: "r1",
  job_id: "j1",
  may_download: true,
  created_at: "2026-11-28T15:00:00Z",
  expires_at: "2026-12-05T15:00:00Z",
  expired: false,
  links: { self: "/api/v1/shares/s1", job: "/api/v1/jobs/j1" },
};

function answers(status: number, body: unknown) {
  const fetched = vi.fn<(url: string, init?: RequestInit) => Promise<Response>>((url) =>
    Promise.resolve(url.endsWith("/sessions") ? new Response("{}") : new Response(JSON.stringify(body), { status })),
  );
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

afterEach(() => vi.unstubAllGlobals());

describe("links to a correction", () => {
  it("tells what the link holds once it is made", async () => {
    const fetched = answers(201, { ...SHARE, token: "rts_a" });
    const share = await createShare("j1", true, 60);
    expect(share).toMatchObject({ id: "s1", token: "rts_a", may_download: true });
    const [url, init] = fetched.mock.calls.at(-1) ?? [];
    expect(url).toBe("/api/v1/jobs/j1/shares");
    expect(init?.body).toBe('{"may_download":true,"expires_in_s":60}');
  });

  it("lists those of the job that still open it", async () => {
    const items = [SHARE, { ...SHARE, id: "s2", expired: true }, { ...SHARE, id: "s3", job_id: "j2" }];
    answers(200, { items, next_page_token: null });
    expect((await sharesOf("j1")).map(({ id }) => id)).toEqual(["s1"]);
  });

  it("is opened without a session, and none is made", async () => {
    const shared = { file_name: "a.wav", created_at: SHARE.created_at, expires_at: SHARE.expires_at, may_download: false, links: {} };
    const fetched = answers(200, shared);
    expect(await getShared("rts_a", new AbortController().signal)).toMatchObject({ file_name: "a.wav", may_download: false });
    expect(fetched.mock.calls.map(([url, init]) => [url, init?.credentials])).toEqual([["/api/v1/shared/rts_a", "omit"]]);
  });

  it("tells that a link opens nothing any more", async () => {
    answers(404, { type: "/problems/not-found", title: "t", status: 404, detail: "d" });
    await expect(getShared("rts_a", new AbortController().signal)).rejects.toBeInstanceOf(RequestFailed);
  });
});
