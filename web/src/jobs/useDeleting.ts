// Deletes at once and offers to take it back.

import { useCallback, useState } from "react";
import { deleteRecording, restoreRecording } from "@/api/endpoints";
import { RequestFailed, type Trouble, describe } from "@/api/problem";
import type { Recording } from "@/api/types";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import { nameOf } from "./name";
import type { Recordings } from "./useRecordings";

export type Deleting = {
  /** What was deleted last, to be taken back. */
  last: readonly Recording[];
  trouble: Trouble | null;
  remove: (recordings: readonly Recording[]) => void;
  undo: () => void;
  dismiss: () => void;
};

export function useDeleting(recordings: Recordings): Deleting {
  const announce = useAnnounce();
  const [last, setLast] = useState<readonly Recording[]>([]);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { deleted, restored } = recordings;

  const remove = useCallback(
    (wanted: readonly Recording[]) => {
      setTrouble(null);
      const one = async (recording: Recording): Promise<Recording[]> => {
        try {
          await deleteRecording(recording.id);
        } catch (error) {
          // Gone already, from another tab: just what was wanted, and nothing to take back.
          if (!(error instanceof RequestFailed && error.problem.status === 404)) throw error;
          deleted(recording.id);
          return [];
        }
        deleted(recording.id);
        return [recording];
      };
      void Promise.allSettled(wanted.map(one)).then((results) => {
        const gone = results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
        const failed = results.find((result) => result.status === "rejected");
        if (failed !== undefined) setTrouble(describe(failed.reason));
        setLast(gone);
        const [first] = gone;
        if (first !== undefined) announce(t("deleted", { count: gone.length, name: nameOf(first) }));
      });
    },
    [deleted, announce],
  );

  const undo = useCallback(() => {
    const wanted = last;
    setLast([]);
    setTrouble(null);
    void Promise.allSettled(wanted.map(({ id }) => restoreRecording(id))).then((results) => {
      for (const result of results) {
        if (result.status === "fulfilled") restored(result.value);
        else setTrouble(describe(result.reason));
      }
      if (results.every(({ status }) => status === "fulfilled")) announce(t("deleted.undone"));
    });
  }, [last, restored, announce]);

  return { last, trouble, remove, undo, dismiss: useCallback(() => setLast([]), []) };
}
