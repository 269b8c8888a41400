// A correction that is done: verdict, time line, transport, and everything deeper folded away below.

import { useCallback, useEffect, useMemo, useState } from "react";
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
import { BlindTest } from "./blind/BlindTest";
import { KeyList } from "./KeyList";
import { MarkList } from "./stage/MarkList";
import { Players, type Sound } from "./sound/Players";
import { Transport } from "./sound/transport";
import { TransportBar } from "./sound/TransportBar";
import { Stage } from "./stage/Stage";
import { type Picture, StageModel } from "./stage/stageModel";
import { StageTools } from "./stage/StageTools";
import { useKeys } from "./useKeys";
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
  const [picture, setPicture] = useState<Picture>("wave");
  const [sound, setSound] = useState<Sound>({ playing: "pair", making: true, trouble: null });
  const [blind, setBlind] = useState(false);
  const [keys, setKeys] = useState(false);
  const found = useMemo(() => [...job.warnings, ...report.findings], [job.warnings, report]);
  const onSound = useCallback((next: Sound) => setSound(next), []);
  const usedTrack = usedTrackWords(report.tracks);

  useEffect(() => () => transport.use(null), [transport]);
  useKeys(transport, model, {
    onPicture: () => setPicture((now) => (now === "wave" ? "spectrogram" : "wave")),
    onList: () => setKeys(true),
  });

  return (
    <div className={styles.flow}>
      <div className={styles.top}>
        <Headline report={report} />
        <div className={styles.goal}>
          <Download job={job} />
        </div>
      </div>
      <VerdictView report={report} />
      <StageTools model={model} transport={transport} picture={picture} onPicture={setPicture} onKeys={() => setKeys(true)} />
      <Stage job={job} report={report} model={model} transport={transport} picture={picture} />
      <Players recording={recording} job={job} report={report} transport={transport} onSound={onSound} />
      {blind && <BlindTest transport={transport} onEnd={() => setBlind(false)} />}
      <div className={styles.pinned} hidden={blind}>
        <TransportBar transport={transport} making={sound.making && sound.playing === "pair"}>
          <button type="button" className="quiet" onClick={() => setBlind(true)}>
            {t("blind.start")}
          </button>
        </TransportBar>
      </div>
      {sound.playing === "pair" && !sound.making && (
        <p className={`note ${styles.inset}`} role="status">
          {sound.trouble === null ? t("transport.cannot") : t("transport.notMade", { why: sound.trouble.detail })}
        </p>
      )}
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
      {keys && <KeyList onClose={() => setKeys(false)} />}
    </div>
  );
}
