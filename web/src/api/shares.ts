// Links that open a correction to whoever has them: mine, and what somebody else's opens.

import { API, request } from "./client";
import { boolean, described, list, optional, text, time } from "./decode";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";
import { sharedPlace } from "./renditions";
import { type Report, parseReport } from "./report";

export type Share = {
  id: string;
  job_id: string;
  may_download: boolean;
  expires_at: Date;
  expired: boolean;
  /** Only of one that was just made: what the link holds. */
  token: string | null;
};

export type Shared = { file_name: string | null; created_at: Date; expires_at: Date; may_download: boolean };

function parseShare(json: unknown, where = ""): Share {
  const share = described("Share", json, where);
  return {
    id: text(share.id, "id"),
    job_id: text(share.job_id, "job_id"),
    may_download: boolean(share.may_download, "may_download"),
    expires_at: time(share.expires_at, "expires_at"),
    expired: boolean(share.expired, "expired"),
    token: optional(share.token, "token", text),
  };
}

export function parseShared(json: unknown): Shared {
  const shared = described("Shared", json);
  return {
    file_name: optional(shared.file_name, "file_name", text),
    created_at: time(shared.created_at, "created_at"),
    expires_at: time(shared.expires_at, "expires_at"),
    may_download: boolean(shared.may_download, "may_download"),
  };
}

export async function createShare(jobId: string, mayDownload: boolean, expiresIn_s: number): Promise<Share> {
  const body = { may_download: mayDownload, expires_in_s: expiresIn_s };
  return parseShare(await request(`/jobs/${encodeURIComponent(jobId)}/shares`, { method: "POST", body }));
}

/** Of one job, the newest first, as far as they are on the first page. */
export async function sharesOf(jobId: string, signal?: AbortSignal): Promise<Share[]> {
  const page = described("SharePage", await request("/shares", { signal }));
  return list(page.items, "items", parseShare).filter(({ job_id, expired }) => job_id === jobId && !expired);
}

export async function revokeShare(id: string): Promise<void> {
  await request(`/shares/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export async function getShared(token: string, signal: AbortSignal): Promise<Shared> {
  return parseShared(await open(sharedPlace(token), signal));
}

export async function getSharedReport(token: string, signal: AbortSignal): Promise<Report> {
  return parseReport(await open(`${sharedPlace(token)}/report`, signal));
}

/** Needs no session, and opens none. */
async function open(url: string, signal: AbortSignal): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(url, { cache: "no-store", credentials: "omit", signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ServerUnreachable(`GET ${API}/shared/… got no answer`, { cause: error });
  }
  const body = await answer.text();
  if (answer.status >= 400) throw new RequestFailed(problemFromBody(answer.status, body));
  return JSON.parse(body) as unknown;
}
