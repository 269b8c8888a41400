// A correction that is done: to hear and to take away, and everything deeper folded away below.

import { useMemo } from "react";
import { addressesOf } from "@/api/addresses";
import type { Report } from "@/api/report";
import type { Job, Preset, Recording } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { Findings } from "@/findings/Findings";
import { t } from "@/i18n";
import { Download } from "@/player/Download";
import { Numbers } from "@/player/Numbers";
import { useReport } from "@/player/useReport";
import { Steps } from "@/report/Steps";
import { usedTrackWords } from "@/report/tracks";
import { Adjust } from "./Adjust";
import { Listen } from "./Listen";
import { ShareButton } from "./ShareButton";
import { MarkList } from "./stage/MarkList";
import styles from "./workspace.module.css";

type Props = {
  recording: Recording;
  job: Job;
  presets: readonly Preset[];
  trial: Trial | null;
  onJob: (job: Job) => void;
};

export function Completed(props: Props) {
  const { job } = props;
  const state = useReport(job.id);
  if (state.phase === "ready") return <Told {...props} report={state.report} />;
  return (
    <div className={styles.unfinished}>
      {state.phase === "loading" ? (
        <p className="muted">{t("workspace.reading")}</p>
      ) : (
        <p className="note">{t("workspace.noReport", { why: state.trouble.detail })}</p>
      )}
      {state.phase === "failed" && <Download job={job} />}
    </div>
  );
}

function Told({ recording, job, presets, trial, onJob, report }: Props & { report: Report }) {
  const found = useMemo(() => [...job.warnings, ...report.findings], [job.warnings, report]);
  // Its addresses do not change with what is told of the job.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const addresses = useMemo(() => addressesOf(recording, job), [recording.id, job.id]);
  const usedTrack = usedTrackWords(report.tracks);
  return (
    <Listen
      addresses={addresses}
      report={report}
      goal={
        <div className="actions">
          <ShareButton job={job} />
          <Download job={job} />
        </div>
      }
      below={(transport, model) => (
        <div className={styles.below}>
          <div className={styles.column}>
            <Findings job={job} found={found} onJob={onJob} />
            <Adjust recording={recording} job={job} report={report} presets={presets} trial={trial} onJob={onJob} />
          </div>
          <div className={styles.column}>
            <MarkList report={report} model={model} transport={transport} />
            <details className={styles.fold}>
              <summary>{t("measured")}</summary>
              {usedTrack !== null && <p className="muted">{usedTrack}</p>}
              <Numbers report={report} />
            </details>
            <Steps job={job} report={report} />
          </div>
        </div>
      )}
    />
  );
}
