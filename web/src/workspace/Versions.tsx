// Every correction of the recording, newest first. Each has an address.

import type { Job, Recording } from "@/api/types";
import { t } from "@/i18n";
import { StatusChip } from "@/jobs/StatusChip";
import { jobTitle } from "@/jobs/words";
import { ViewLink } from "@/ui/ViewLink";
import type { View } from "@/ui/useView";
import { dayAndTime } from "@/ui/words";
import styles from "./workspace.module.css";

type Props = { recording: Recording; shown: Job | null; go: (view: View) => void };

export function Versions({ recording, shown, go }: Props) {
  if (recording.jobs.length < 2) return null;
  return (
    <nav className={styles.versions} aria-label={t("versions")}>
      <ol>
        {recording.jobs.map((job, index) => (
          <li key={job.id} data-version={job.id} data-version-status={job.status}>
            <ViewLink
              to={{ name: "recording", id: recording.id, job: index === 0 ? null : job.id }}
              go={go}
              current={job.id === shown?.id}
            >
              <span>
                {recording.jobs.length - index}. {jobTitle(job)}
              </span>
              <span className={styles.when}>
                {job.status === "completed" ? dayAndTime(job.created_at) : <StatusChip job={job} />}
              </span>
            </ViewLink>
          </li>
        ))}
      </ol>
    </nav>
  );
}
