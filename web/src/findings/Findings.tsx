// What was found: warnings in sight, what is merely good to know folded away.

import type { Finding } from "@/api/finding";
import type { Job } from "@/api/types";
import { t } from "@/i18n";
import { TrackInstead } from "./TrackInstead";
import { findingWords, sorted } from "./words";
import styles from "./findings.module.css";

type Props = {
  job: Job;
  /** Told twice is shown once. */
  found: readonly Finding[];
  /** Called with the job that somebody starts because of a finding. */
  onJob: (job: Job) => void;
};

export function Findings({ job, found, onJob }: Props) {
  const { warnings, infos } = sorted(found);
  return (
    <>
      {warnings.length > 0 && (
        <ul className={styles.warnings} aria-label={t("findings.warnings")}>
          {warnings.map((finding) => (
            <li key={keyOf(finding)} className="note" data-finding={finding.code}>
              <FindingText finding={finding} job={job} onJob={onJob} />
            </li>
          ))}
        </ul>
      )}
      {infos.length > 0 && (
        <details className={styles.infos}>
          <summary>{t("findings.infos", { count: infos.length })}</summary>
          <ul>
            {infos.map((finding) => (
              <li key={keyOf(finding)} data-finding={finding.code}>
                <FindingText finding={finding} job={job} onJob={onJob} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function FindingText({ finding, job, onJob }: { finding: Finding; job: Job; onJob: (job: Job) => void }) {
  const { says, advice, correctTrack } = findingWords(finding);
  return (
    <>
      <p>{says}</p>
      {advice !== null && <p>{advice}</p>}
      {correctTrack !== null && (
        <TrackInstead job={job} track={correctTrack.track} words={correctTrack.words} onJob={onJob} />
      )}
    </>
  );
}

function keyOf({ code, message }: Finding): string {
  return `${code} ${message}`;
}
