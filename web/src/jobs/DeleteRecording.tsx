// Deletes a recording and everything made from it, after asking.

import { useState } from "react";
import { deleteRecording } from "@/api/endpoints";
import { RequestFailed, type Trouble, describe } from "@/api/problem";
import type { Recording } from "@/api/types";
import { useAnnounce } from "@/ui/Announcer";
import { ConfirmDialog } from "@/ui/ConfirmDialog";
import { TroubleNote } from "@/ui/TroubleNote";

type Props = { recording: Recording; name: string; onDeleted: () => void };

export function DeleteRecording({ recording, name, onDeleted }: Props) {
  const announce = useAnnounce();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const remove = async () => {
    setAsking(false);
    setBusy(true);
    setTrouble(null);
    try {
      await deleteRecording(recording.id);
    } catch (error) {
      // Gone already, from another tab: just what was wanted.
      if (!(error instanceof RequestFailed && error.problem.status === 404)) {
        setTrouble(describe(error));
        setBusy(false);
        return;
      }
    }
    announce(`${name} was deleted.`);
    onDeleted();
  };

  return (
    <>
      <button type="button" className="quiet danger" disabled={busy} onClick={() => setAsking(true)}>
        {busy ? "Deleting…" : "Delete"}
      </button>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      {asking && (
        <ConfirmDialog
          title="Delete this recording?"
          text={`“${name}” and everything corrected from it will be gone. This cannot be undone.`}
          confirm="Delete it"
          onConfirm={() => void remove()}
          onCancel={() => setAsking(false)}
        />
      )}
    </>
  );
}
