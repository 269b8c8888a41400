// Where a recording comes from: the microphone, files, or our sample. Ends with a take.

import { Suspense, lazy, useState } from "react";
import { BASE } from "@/base";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import { ConfirmDialog } from "@/ui/ConfirmDialog";
import { useLeaveWarning } from "@/ui/useLeaveWarning";
import { clock } from "@/ui/words";
import { FileChoice } from "./FileChoice";
import { recordingName } from "./format";
import type { MicrophoneChoice } from "./microphone";
import type { Take } from "./take";
import { MicrophoneOptions } from "./MicrophoneOptions";
import { loadRecorder, useRecorder } from "./useRecorder";
import { useWakeLock } from "./useWakeLock";
import styles from "./recording.module.css";

const RecordingNow = lazy(() => import("./RecordingNow"));
const MicrophoneNote = lazy(() => import("./MicrophoneNote"));

type Props = {
  onTake: (take: Take) => void;
  onFiles: (files: readonly File[]) => void;
  /** Why some of the files were not taken. */
  refused: readonly string[];
  /** Something is here already: this is for more of it. */
  more: boolean;
};

export function Source({ onTake, onFiles, refused, more }: Props) {
  const announce = useAnnounce();
  const [choice, setChoice] = useState<MicrophoneChoice>({ deviceId: null, browserProcessing: false });
  const [asking, setAsking] = useState(false);
  const recorder = useRecorder(({ blob, duration_ms, cutShort, key, kept }) => {
    announce(t("record.stopped"));
    setAsking(false);
    onTake({ key, blob, duration_ms, cutShort, kept, name: recordingName(blob.type, new Date()), source: "microphone" });
  });
  const { state } = recorder;
  const recording = state.phase === "recording" || state.phase === "paused";
  // What is kept is offered again; but nobody leaves in the middle of a sentence on purpose.
  useLeaveWarning(recording);
  useWakeLock(recording);

  if (recording) {
    return (
      <>
        <Suspense fallback={<p className="muted">{t("record.running")}…</p>}>
          <RecordingNow
            recorder={state.recorder}
            paused={state.phase === "paused"}
            kept={state.kept}
            onPause={recorder.pause}
            onResume={recorder.resume}
            onStop={recorder.stop}
            onDiscard={() => setAsking(true)}
          />
        </Suspense>
        {asking && (
          <ConfirmDialog
            title={t("take.throwAway.title")}
            text={t("take.throwAway.text", { length: clock(state.recorder.elapsedMs) })}
            confirm={t("take.throwAway")}
            onConfirm={() => {
              setAsking(false);
              recorder.discard();
            }}
            onCancel={() => setAsking(false)}
          />
        )}
      </>
    );
  }

  const trouble = state.phase === "idle" ? state.trouble : null;
  return (
    <div className={more ? `${styles.source} ${styles.sourceMore}` : styles.source}>
      <div className={styles.microphone}>
        <button
          type="button"
          className={styles.record}
          disabled={state.phase === "asking"}
          onPointerEnter={prepare}
          onFocus={prepare}
          onClick={() => recorder.start(choice)}
        >
          <span className={styles.dot} aria-hidden="true" />
          {state.phase === "asking" ? t("record.waiting") : t("record")}
        </button>
        {state.phase === "asking" && <p className="muted">{t("record.allow")}</p>}
        {trouble !== null && (
          <Suspense>
            <MicrophoneNote trouble={trouble} />
          </Suspense>
        )}
        {!more && <MicrophoneOptions choice={choice} onChange={setChoice} />}
      </div>
      <FileChoice onFiles={onFiles} refused={refused} more={more}>
        {!more && <Sample onFile={(file) => onFiles([file])} />}
      </FileChoice>
    </div>
  );
}

/** So that it begins with the press. */
function prepare(): void {
  loadRecorder().catch(() => undefined); // the press says what is wrong
}

/** Something to try it on, for whoever has nothing at hand. */
function Sample({ onFile }: { onFile: (file: File) => void }) {
  const [state, setState] = useState<"idle" | "loading" | "failed">("idle");
  const take = async () => {
    setState("loading");
    try {
      const answer = await fetch(`${BASE}/sample/noisy-room.ogg`);
      if (!answer.ok) throw new Error(`the sample answers ${answer.status}`);
      onFile(new File([await answer.arrayBuffer()], t("sample.name"), { type: "audio/ogg" }));
      setState("idle");
    } catch (error) {
      console.warn("the sample cannot be had", error);
      setState("failed");
    }
  };
  return (
    <p>
      <button type="button" className="quiet" disabled={state === "loading"} onClick={() => void take()}>
        {t("sample")}
      </button>
      {state === "failed" && (
        <span className="error" role="alert">
          {t("sample.failed")}
        </span>
      )}
    </p>
  );
}
