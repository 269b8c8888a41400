// The upper half of the page: get a recording, then send it.

import { useState } from "react";
import type { Accepted, Preset, Recording } from "@/api/types";
import type { Upload } from "@/api/upload";
import type { Trial } from "@/chain/useTrial";
import { Source } from "@/recording/Source";
import type { Take } from "@/recording/take";
import { useAnnounce } from "@/ui/Announcer";
import { useLeaveWarning } from "@/ui/useLeaveWarning";
import { SendForm } from "./SendForm";

type Props = {
  presets: readonly Preset[];
  /** A chain somebody wants to try on what comes next. */
  trial: Trial | null;
  onSent: (recording: Recording) => void;
};

export function NewRecording({ presets, trial, onSent }: Props) {
  const announce = useAnnounce();
  const [take, setTake] = useState<Take | null>(null);
  useLeaveWarning(take !== null);

  const onAccepted = (upload: Upload, accepted: Accepted) => {
    setTake(null);
    announce("Sent. You can follow it in the list below.");
    onSent(recordingFrom(upload, accepted));
  };

  return (
    <section className="card" aria-labelledby="new-recording">
      <h2 id="new-recording">{take === null ? "New recording" : "Ready to send"}</h2>
      {take === null ? (
        <Source onTake={setTake} />
      ) : (
        <SendForm take={take} presets={presets} trial={trial} onDiscard={() => setTake(null)} onAccepted={onAccepted} />
      )}
    </section>
  );
}

/** What the server will list, known without asking. The next refresh puts the server's words in place. */
function recordingFrom(upload: Upload, { recording_id, job }: Accepted): Recording {
  return {
    id: recording_id,
    user_email: upload.userEmail,
    file_name: upload.fileName,
    content_type: upload.recording.type,
    size_bytes: upload.recording.size,
    created_at: job.created_at,
    jobs: [job],
  };
}
