// One recording in a list: its name leads to its workspace.

import type { ReactNode } from "react";
import type { Recording } from "@/api/types";
import { t } from "@/i18n";
import { ViewLink } from "@/ui/ViewLink";
import type { View } from "@/ui/useView";
import { dayAndTime, percent, size } from "@/ui/words";
import { StatusChip } from "./StatusChip";
import styles from "./jobs.module.css";

type Props = { recording: Recording; go: (view: View) => void; before?: ReactNode; children?: ReactNode };

export function RecordingRow({ recording, go, before, children }: Props) {
  const name = recording.file_name ?? t("recording");
  const newest = recording.jobs[0];
  return (
    <li className={styles.row} data-recording={recording.id}>
      {before}
      <div className={styles.names}>
        <ViewLink className={styles.name} to={{ name: "recording", id: recording.id, job: null }} go={go}>
          <bdi>{name}</bdi>
        </ViewLink>
        <span className={styles.facts}>
          {dayAndTime(recording.created_at)} · {size(recording.size_bytes)}
          {recording.jobs.length > 1 && ` · ${t("list.corrections", { count: recording.jobs.length })}`}
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
