// What was measured for a job.

import { request } from "./client";
import { type Report, parseReport } from "./report";

export async function getReport(jobId: string, signal?: AbortSignal): Promise<Report> {
  return parseReport(await request(`/jobs/${encodeURIComponent(jobId)}/report`, { signal }));
}
