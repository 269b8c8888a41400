// Which of two views of one job is the newer, told from the views themselves. Answers and events
// overtake each other on their way here; with this order it does not matter which comes first.

import type { Job } from "@/api/types";

export function isEnded(job: Job): boolean {
  return job.status === "completed" || job.status === "failed" || job.status === "cancelled";
}

/**
 * An ended job never changes. A higher attempt is newer. Within one attempt a job is first running
 * and, when its worker gave up, queued again: an attempt's number begins with its claim.
 */
function rank(job: Job): readonly number[] {
  const released = job.status === "queued" && job.attempt > 0;
  return [isEnded(job) ? 1 : 0, job.attempt, released ? 1 : 0, job.progress, job.cancel_requested ? 1 : 0];
}

/** The newer of the two; the second where they are equally new. */
export function newer(known: Job, arrived: Job): Job {
  const a = rank(known);
  const b = rank(arrived);
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value > other ? known : arrived;
  }
  return arrived;
}
