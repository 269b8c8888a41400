// The way in: record, choose or drop, then send. What is here and not sent yet stays while other views are looked at.

import { Suspense, lazy, useEffect, useRef, useState } from "react";
import type { Preset, Recording } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { t } from "@/i18n";
import { KeptTakes } from "@/recording/KeptTakes";
import { Source } from "@/recording/Source";
import { type Take, fileTrouble, takeOf } from "@/recording/take";
import { useKept } from "@/recording/useKept";
import { vault } from "@/recording/vault";
import { useAnnounce } from "@/ui/Announcer";
import { useFileDrop } from "@/ui/useFileDrop";
import { useLeaveWarning } from "@/ui/useLeaveWarning";
import type { Failure } from "./SendForm";
import { type Sent, useBatch } from "./useBatch";
import styles from "./send.module.css";

const SendForm = lazy(() => import("./SendForm"));

type Props = {
  presets: readonly Preset[];
  /** A chain somebody wants to try on what comes next. */
  trial: Trial | null;
  /** Files were dropped while another view is shown. */
  onDropped: () => void;
  onAccepted: (recording: Recording) => void;
  /** All of them arrived. */
  onSent: (recordings: readonly Recording[]) => void;
};

export function NewRecording({ presets, trial, onDropped, onAccepted, onSent }: Props) {
  const announce = useAnnounce();
  const [refused, setRefused] = useState<readonly string[]>([]);
  const kept = useKept();
  const [failure, setFailure] = useState<Failure | null>(null);
  const { batch, add, remove, send, cancel } = useBatch({
    onAccepted: (sent) => {
      // It is safe on the server: what was kept of it here may go.
      if (sent.take.kept) void vault?.remove(sent.take.key);
      onAccepted(recordingOf(sent));
    },
    onFailed: (error) => setFailure({ error }),
    onEnd: (all) => {
      announce(t("send.sent", { count: all.length }));
      onSent(all.map(recordingOf));
    },
  });
  useLeaveWarning(batch.some(({ take }) => !take.kept));

  const addFiles = (files: readonly File[]) => {
    const troubles = files.map(fileTrouble);
    setRefused(troubles.filter((trouble) => trouble !== null));
    const takes = files.filter((_, at) => troubles[at] === null).map(takeOf);
    add(takes);
    if (takes.length > 0) announce(t("send.added", { count: takes.length }));
  };
  const over = useFileDrop((files) => {
    addFiles(files);
    onDropped();
  });
  const discard = (take: Take) => {
    remove(take.key);
    if (take.kept) void vault?.remove(take.key);
  };

  const heading = useRef<HTMLHeadingElement>(null);
  const empty = batch.length === 0;
  // What led here is gone; say where we are.
  useEffect(() => {
    if (!empty) heading.current?.focus();
  }, [empty]);

  return (
    <>
      {over && (
        <div className={styles.over} aria-hidden="true">
          <p>{t("drop.here")}</p>
        </div>
      )}
      <KeptTakes kept={kept} onTake={(take) => add([take])} />
      <section className="card" aria-labelledby="new-recording">
        <h2 id="new-recording" ref={heading} tabIndex={-1}>
          {empty ? t("send.new") : t("send.ready")}
        </h2>
        <Source onTake={(take) => add([take])} onFiles={addFiles} refused={refused} more={!empty} />
        {!empty && (
          <Suspense fallback={<p className="muted">{t("opening")}</p>}>
            <SendForm
              batch={batch}
              presets={presets}
              trial={trial}
              failure={failure}
              onSend={send}
              onCancel={cancel}
              onDiscard={discard}
            />
          </Suspense>
        )}
      </section>
    </>
  );
}

/** What the server will list, known without asking. The next refresh puts the server's words in place. */
function recordingOf({ take, order, accepted: { recording_id, job } }: Sent): Recording {
  return {
    id: recording_id,
    user_email: order.userEmail,
    file_name: take.name,
    content_type: take.blob.type,
    size_bytes: take.blob.size,
    created_at: job.created_at,
    name: null,
    duration_ms: take.duration_ms,
    jobs: [job],
  };
}
