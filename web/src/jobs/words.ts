// A job's state as people read it.

import type { Job } from "@/api/types";
import { t } from "@/i18n";
import { presetTitle } from "@/send/preset";
import { percent } from "@/ui/words";
import { isEnded } from "./order";

/** "Speech", "Speech, track 2" where that was asked for; a job whose chain was made by hand has no preset. */
export function jobTitle(job: Job): string {
  const title = job.preset === null ? t("job.ownChain") : presetTitle(job.preset);
  return job.track === null ? title : t("job.track", { title, track: job.track });
}

export function statusWords(job: Job): string {
  if (!isEnded(job) && job.cancel_requested) return t("status.stopping");
  if (job.status === "queued" && job.attempt > 0) return t("status.queuedAgain");
  return t(`status.${job.status}`);
}

/** The line below the state while there is something to wait for; empty after. */
export function waitingWords(job: Job): string {
  if (job.status === "queued") return job.attempt === 0 ? t("job.waits") : t("job.triedAgain");
  if (job.status !== "running") return "";
  const step = job.step === null ? t("job.starting") : t("job.step", { step: job.step });
  const again = job.attempt > 1 ? t("job.attempt", { attempt: job.attempt }) : "";
  return [step, again, percent(job.progress)].filter((part) => part !== "").join(", ");
}
