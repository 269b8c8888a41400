// One recording: what came of it, on a time line, to hear and to take away.

import { useEffect, useRef, useState } from "react";
import { getRecording } from "@/api/endpoints";
import { RequestFailed, type Trouble, describe } from "@/api/problem";
import type { Job, Preset, Recording } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { t } from "@/i18n";
import "@/i18n/en";
import { Renaming } from "@/jobs/Renaming";
import { nameOf } from "@/jobs/name";
import { useAnnounceChanges } from "@/jobs/useAnnounceChanges";
import { CatalogueProvider } from "@/plugins/Catalogue";
import { TroubleNote } from "@/ui/TroubleNote";
import { ViewLink } from "@/ui/ViewLink";
import { EVERYTHING, type View, hasMoved } from "@/ui/useView";
import { dayAndTime, size } from "@/ui/words";
import { Completed } from "./Completed";
import { Unfinished } from "./Unfinished";
import { Versions } from "./Versions";
import styles from "./workspace.module.css";

type Props = {
  id: string;
  /** The correction that is shown; null for the newest. */
  jobId: string | null;
  recording: Recording | null;
  presets: readonly Preset[];
  trial: Trial | null;
  go: (view: View) => void;
  onRecording: (recording: Recording) => void;
  onJob: (job: Job) => void;
  onDelete: (recording: Recording) => void;
};

export default function Workspace(props: Props) {
  return (
    <CatalogueProvider>
      <Opened {...props} />
    </CatalogueProvider>
  );
}

function Opened(props: Props) {
  const { id, recording, onRecording } = props;
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [gone, setGone] = useState(false);
  // A list tells of the newest correction only, and behind a bookmark it may be one that is not listed at all.
  const missing = recording === null || (recording.job_count ?? 0) > recording.jobs.length;
  useEffect(() => {
    if (!missing) return;
    const stop = new AbortController();
    getRecording(id, stop.signal).then(onRecording, (error: unknown) => {
      if (stop.signal.aborted) return;
      if (error instanceof RequestFailed && error.problem.status === 404) setGone(true);
      else setTrouble(describe(error));
    });
    return () => stop.abort();
  }, [id, missing, onRecording]);

  if (recording !== null) return <Known key={id} {...props} recording={recording} />;
  return (
    <main className={`page ${styles.nothing}`}>
      <h1>{gone ? t("workspace.gone") : t("workspace.opening")}</h1>
      {gone && <p className="muted">{t("workspace.gone.why")}</p>}
      {trouble !== null && <TroubleNote trouble={trouble} />}
      <p>
        <ViewLink to={EVERYTHING} go={props.go}>
          {t("workspace.back")}
        </ViewLink>
      </p>
    </main>
  );
}

function Known({ recording, jobId, presets, trial, go, onRecording, onJob, onDelete }: Props & { recording: Recording }) {
  const name = nameOf(recording);
  const [renaming, setRenaming] = useState(false);
  const job = shownJob(recording, jobId);
  const heading = useRef<HTMLHeadingElement>(null);
  useAnnounceChanges(name, recording.jobs);
  useEffect(() => {
    if (hasMoved()) heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const before = document.title;
    document.title = `${name} · Retake`;
    return () => {
      document.title = before;
    };
  }, [name]);

  const show = (next: Job) => {
    onJob(next);
    go({ name: "recording", id: recording.id, job: null });
  };
  return (
    <main className={styles.workspace} data-recording={recording.id}>
      <header className={styles.head}>
        <div className={styles.names}>
          {renaming ? (
            <Renaming recording={recording} onRenamed={onRecording} onEnd={() => setRenaming(false)} />
          ) : (
            <h1 ref={heading} tabIndex={-1}>
              <bdi>{name}</bdi>
            </h1>
          )}
          <p className={styles.facts}>
            {dayAndTime(recording.created_at)} · {size(recording.size_bytes)} · <bdi>{recording.user_email}</bdi>
          </p>
        </div>
        <div className="actions">
          <button type="button" className="quiet" onClick={() => setRenaming(true)}>
            {t("rename")}
          </button>
          <button type="button" className="quiet danger" onClick={() => onDelete(recording)}>
            {t("delete")}
          </button>
        </div>
      </header>
      <Versions recording={recording} shown={job} go={go} />
      {job === null ? (
        <p className={`muted ${styles.nothing}`}>{t("workspace.noJob")}</p>
      ) : (
        <section key={job.id} aria-label={t("workspace.correction")} data-job={job.id} data-status={job.status}>
          {job.status === "completed" ? (
            <Completed recording={recording} job={job} presets={presets} trial={trial} onJob={show} />
          ) : (
            <Unfinished recording={recording} job={job} presets={presets} trial={trial} onJob={show} onChanged={onJob} />
          )}
        </section>
      )}
    </main>
  );
}

/** The one that is asked for, else the newest. */
function shownJob({ jobs }: Recording, jobId: string | null): Job | null {
  return jobs.find(({ id }) => id === jobId) ?? jobs[0] ?? null;
}
