// A corrected recording: play it, switch between it and the original at the same place, see what has
// changed, download it.

import { type RefObject, useRef } from "react";
import { correctedAudioUrl } from "@/api/endpoints";
import type { Job } from "@/api/types";
import { Steps } from "@/report/Steps";
import { Numbers } from "./Numbers";
import { SwitchButton } from "./SwitchButton";
import { useReport } from "./useReport";
import styles from "./player.module.css";

type Props = {
  job: Job;
  title: string;
  original: RefObject<HTMLAudioElement | null>;
};

export function Corrected({ job, title, original }: Props) {
  const corrected = useRef<HTMLAudioElement>(null);
  const report = useReport(job.id);
  const url = correctedAudioUrl(job);
  return (
    <div className={`${styles.player} ${styles.corrected}`} data-job={job.id} data-status={job.status}>
      <p className={styles.label}>
        <strong>Corrected</strong> <span className="muted">{title}</span>
      </p>
      <audio
        ref={corrected}
        controls
        preload="metadata"
        src={url}
        aria-label={`Corrected recording, ${title}`}
        data-player="corrected"
      />
      <div className="actions">
        <SwitchButton original={original} corrected={corrected} report={report.phase === "ready" ? report.report : null} />
        {/* The server names the file: its Content-Disposition wins over a name given here. */}
        <a className="button" href={url} download>
          Download {job.format.toUpperCase()}
        </a>
      </div>
      {job.warnings.map((warning) => (
        <p key={warning} className="note">
          {warning}
        </p>
      ))}
      <Numbers report={report} />
      {report.phase === "ready" && <Steps job={job} report={report.report} />}
    </div>
  );
}
