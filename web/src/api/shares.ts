// Links that open one correction to whoever has them.

import type { Addresses } from "./addresses";
import { API, request } from "./client";
import { boolean, described, list, optional, text, time } from "./decode";
import { type Report, parseReport } from "./report";
import type { Format, Job } from "./types";

export type Share = {
  id: string;
  job_id: string;
  may_download: boolean;
  expires_at: Date;
  expired: boolean;
  /** What to hand on; only just after it was made. */
  page: string | null;
};

function parseShare(value: unknown, where = "share"): Share {
  const share = described("Share", value, where);
  const links = described("ShareLinks", share.links, `${where}.links`);
  return {
    id: text(share.id, `${where}.id`),
    job_id: text(share.job_id, `${where}.job_id`),
    may_download: boolean(share.may_download, `${where}.may_download`),
    expires_at: time(share.expires_at, `${where}.expires_at`),
    expired: share.expired === true,
    page: optional(links.page, `${where}.links.page`, text),
  };
}

export async function makeShare(job: Job, mayDownload: boolean, days: number): Promise<Share> {
  const body = { may_download: mayDownload, expires_in_s: days * 86_400 };
  return parseShare(await request(`/jobs/${encodeURIComponent(job.id)}/shares`, { method: "POST", body }));
}

export async function listShares(signal?: AbortSignal): Promise<Share[]> {
  const page = described("SharePage", await request("/shares", { signal }), "shares");
  return list(page.items, "shares.items", parseShare);
}

export async function revokeShare(id: string): Promise<void> {
  await request(`/shares/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export type Shared = {
  file_name: string | null;
  expires_at: Date;
  may_download: boolean;
  addresses: Addresses;
  report: Report;
  rendition: (format: Format) => string;
};

export async function getShared(token: string, signal: AbortSignal): Promise<Shared> {
  const place = `/shared/${encodeURIComponent(token)}`;
  const [told, measured] = await Promise.all([request(place, { signal }), request(`${place}/report`, { signal })]);
  const shared = described("Shared", told, "shared");
  const mayDownload = boolean(shared.may_download, "shared.may_download");
  const address = `${API}${place}`;
  return {
    file_name: optional(shared.file_name, "shared.file_name", text),
    expires_at: time(shared.expires_at, "shared.expires_at"),
    may_download: mayDownload,
    report: parseReport(measured),
    rendition: (format) => `${address}/renditions/${format}`,
    addresses: {
      key: token,
      channels: `${address}/compare`,
      tracks: `${address}/compare.m4a`,
      peaks: (side) => `${address}/peaks/${side}`,
      spectrogram: (side, rate, tile) => `${address}/spectrograms/${side}/${rate}/${tile}`,
      pair: mayDownload ? { original: `${address}/original`, corrected: `${address}/audio` } : null,
    },
  };
}
