// One job: where it stands, and when it is done, what came of it.

import { useState } from "react";
import { cancelJob } from "@/api/endpoints";
import { type Trouble, describe, troubleOf } from "@/api/problem";
import type { Job } from "@/api/types";
import { Findings } from "@/findings/Findings";
import { FailureForAuthors } from "@/report/ForAuthors";
import { t } from "@/i18n";
import { TroubleNote } from "@/ui/TroubleNote";
import { isEnded } from "./order";
import { StatusChip } from "./StatusChip";
import { jobTitle, waitingWords } from "./words";
import styles from "./jobs.module.css";

export function JobView({ job, onJob }: { job: Job; onJob: (job: Job) => void }) {
  return (
    <div className={styles.job}>
      <p className={styles.jobHead}>
        <strong>{jobTitle(job)}</strong> <StatusChip job={job} />
      </p>
      {!isEnded(job) && <Waiting job={job} />}
      {job.status === "failed" && job.error !== null && (
        <TroubleNote trouble={troubleOf(job.error)}>
          <FailureForAuthors problem={job.error} />
        </TroubleNote>
      )}
      <Findings job={job} found={job.warnings} onJob={onJob} />
    </div>
  );
}

function Waiting({ job }: { job: Job }) {
  const [asked, setAsked] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const stopping = asked || job.cancel_requested;

  const cancel = async () => {
    setAsked(true);
    setTrouble(null);
    try {
      await cancelJob(job.id);
    } catch (error) {
      setAsked(false);
      setTrouble(describe(error));
    }
  };

  return (
    <>
      <div className={styles.waiting}>
        <progress
          aria-label={t("job.progress", { title: jobTitle(job) })}
          {...(job.status === "running" ? { value: job.progress } : {})}
        />
        <p className="muted">{waitingWords(job)}</p>
        <button type="button" disabled={stopping} onClick={() => void cancel()}>
          {stopping ? t("job.stopping") : t("cancel")}
        </button>
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </>
  );
}
