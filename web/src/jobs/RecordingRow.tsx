// One recording in a list: its name leads to its workspace.

import type { ReactNode } from "react";
import type { Recording } from "@/api/types";
import { t } from "@/i18n";
import { ViewLink } from "@/ui/ViewLink";
import type { View } from "@/ui/useView";
import { clock, dayAndTime, percent, size } from "@/ui/words";
import { nameOf } from "./name";
import { StatusChip } from "./StatusChip";
import styles from "./jobs.module.css";

type Props = { recording: Recording; go: (view: View) => void; before?: ReactNode; instead?: ReactNode; children?: ReactNode };

export function RecordingRow({ recording, go, before, instead, children }: Props) {
  const name = nameOf(recording);
  const corrections = Math.max(recording.job_count ?? 0, recording.jobs.length);
  const newest = recording.jobs[0];
  return (
    <li className={styles.row} data-recording={recording.id}>
      {before}
      <div className={styles.names}>
        {instead ?? (
          <ViewLink className={styles.name} to={{ name: "recording", id: recording.id, job: null }} go={go}>
            <bdi>{name}</bdi>
          </ViewLink>
        )}
        <span className={styles.facts}>
          {dayAndTime(recording.created_at)}
          {recording.duration_ms !== null && ` · ${clock(recording.duration_ms)}`} · {size(recording.size_bytes)}
          {corrections > 1 && ` · ${t("list.corrections", { count: corrections })}`}
        </span>
      </div>
      {newest?.status === "running" && <span className={styles.share}>{percent(newest.progress)}</span>}
      {newest !== undefined && (
        <span data-status={newest.status}>
          <StatusChip job={newest} />
        </span>
      )}
      {children}
    </li>
  );
}
