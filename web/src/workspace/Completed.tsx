// A correction that is done: verdict, time line, transport, and everything deeper folded away below.

import { useMemo, useState } from "react";
import { correctedAudioUrl, originalAudioUrl } from "@/api/endpoints";
import { placeOf } from "@/api/renditions";
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
import { Share } from "./share/Share";
import { MarkList } from "./stage/MarkList";
import { Transport } from "./sound/transport";
import { StageModel } from "./stage/stageModel";
import { Headline, VerdictView } from "./verdict/VerdictView";
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
  const duration_s = report.output.duration_ms / 1000;
  const [transport] = useState(() => new Transport());
  const model = useMemo(() => new StageModel(duration_s), [duration_s]);
  const found = useMemo(() => [...job.warnings, ...report.findings], [job.warnings, report]);
  const files = { original: originalAudioUrl(recording), corrected: correctedAudioUrl(job) };
  const usedTrack = usedTrackWords(report.tracks);

  return (
    <div className={styles.flow}>
      <div className={styles.top}>
        <Headline report={report} />
        <div className={styles.goal}>
          <Share job={job} />
          <Download job={job} />
        </div>
      </div>
      <VerdictView report={report} />
      <Listen place={placeOf(job)} files={files} report={report} model={model} transport={transport}>
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
      </Listen>
    </div>
  );
}
