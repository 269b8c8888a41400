// A job's state as people read it.

import type { Job } from "@/api/types";
import { presetTitle } from "@/send/preset";
import { percent } from "@/ui/words";

/** "Speech", "Speech, track 2" where that was asked for; a job whose chain was made by hand has no preset. */
export function jobTitle(job: Job): string {
  const title = job.preset === null ? "Own chain" : presetTitle(job.preset);
  return job.track === null ? title : `${title}, track ${job.track}`;
}

export function statusWords(job: Job): string {
  switch (job.status) {
    case "queued":
      if (job.cancel_requested) return "Stopping";
      return job.attempt === 0 ? "Queued" : "Queued again";
    case "running":
      return job.cancel_requested ? "Stopping" : "Running";
    case "completed":
      return "Done";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled";
  }
}

/** The line below the state while there is something to wait for; empty after. */
export function waitingWords(job: Job): string {
  if (job.status === "queued") {
    return job.attempt === 0 ? "Waiting for its turn." : "The last attempt did not end; it is tried again.";
  }
  if (job.status !== "running") return "";
  const step = job.step === null ? "Starting" : `Step ${job.step}`;
  const again = job.attempt > 1 ? `, attempt ${job.attempt}` : "";
  return `${step}${again}, ${percent(job.progress)}`;
}
