// Where a recording comes from: the microphone or a file. Ends with a take.

import { useState } from "react";
import { useAnnounce } from "@/ui/Announcer";
import { useLeaveWarning } from "@/ui/useLeaveWarning";
import { visible } from "@/ui/words";
import { FileChoice } from "./FileChoice";
import { recordingName } from "./format";
import { MICROPHONE_WORDS, type MicrophoneChoice } from "./microphone";
import { MicrophoneOptions } from "./MicrophoneOptions";
import { RecordingNow } from "./RecordingNow";
import { type Take, fileTrouble } from "./take";
import { useRecorder } from "./useRecorder";
import styles from "./recording.module.css";

export function Source({ onTake }: { onTake: (take: Take) => void }) {
  const announce = useAnnounce();
  const [choice, setChoice] = useState<MicrophoneChoice>({ deviceId: null, browserProcessing: false });
  const [badFile, setBadFile] = useState<string | null>(null);
  const recorder = useRecorder(({ blob, duration_ms, cutShort }) => {
    announce("Recording stopped. Listen to it, then send it.");
    onTake({ blob, duration_ms, cutShort, name: recordingName(blob.type, new Date()), source: "microphone" });
  });
  const { state } = recorder;
  const recording = state.phase === "recording" || state.phase === "paused";
  useLeaveWarning(recording);

  if (recording) {
    return (
      <RecordingNow
        recorder={state.recorder}
        paused={state.phase === "paused"}
        onPause={recorder.pause}
        onResume={recorder.resume}
        onStop={recorder.stop}
        onDiscard={recorder.discard}
      />
    );
  }

  const onFile = (file: File) => {
    const trouble = fileTrouble(file);
    setBadFile(trouble);
    if (trouble !== null) return;
    recorder.discard();
    onTake({ blob: file, name: visible(file.name), duration_ms: null, source: "file", cutShort: false });
  };
  const trouble = state.phase === "idle" && state.trouble !== null ? MICROPHONE_WORDS[state.trouble] : null;
  return (
    <div className={styles.source}>
      <div className={styles.microphone}>
        <button
          type="button"
          className={styles.record}
          disabled={state.phase === "asking"}
          onClick={() => {
            setBadFile(null);
            recorder.start(choice);
          }}
        >
          <span className={styles.dot} aria-hidden="true" />
          {state.phase === "asking" ? "Waiting for the microphone…" : "Record"}
        </button>
        {state.phase === "asking" && <p className="muted">Allow the microphone where your browser asks.</p>}
        {trouble !== null && (
          <div className="note trouble" role="alert">
            <p>
              <strong>{trouble.title}.</strong> {trouble.next}
            </p>
          </div>
        )}
        <MicrophoneOptions choice={choice} onChange={setChoice} />
      </div>
      <FileChoice onFile={onFile} trouble={badFile} />
    </div>
  );
}
