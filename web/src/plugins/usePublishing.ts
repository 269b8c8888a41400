// One plugin on its way into the catalogue: sent, then asked about until a worker has settled it.

import { useCallback, useEffect, useRef, useState } from "react";
import { getSubmission, sendPlugin } from "@/api/admin";
import type { Submission } from "@/api/check";
import { type Trouble, describe } from "@/api/problem";
import { pause } from "@/ui/pause";
import { visible } from "@/ui/words";

/** How often to ask how the check goes. */
const ASK_MS = 1000;

/** Questions in a row that may stay without an answer. */
const SILENT_MAX = 10;

export type Publishing =
  | { phase: "idle" }
  | { phase: "sending"; name: string; fraction: number }
  | { phase: "checking"; name: string }
  | { phase: "settled"; name: string; submission: Submission }
  | { phase: "failed"; trouble: Trouble };

export function usePublishing(
  key: string,
  onPublished: () => void,
): { state: Publishing; publish: (file: File) => void; cancel: () => void } {
  const [state, setState] = useState<Publishing>({ phase: "idle" });
  const running = useRef<AbortController | null>(null);
  const deliver = useRef(onPublished);
  useEffect(() => {
    deliver.current = onPublished;
  });
  useEffect(() => () => running.current?.abort(), []);

  const publish = useCallback(
    (file: File) => {
      running.current?.abort();
      const mine = new AbortController();
      running.current = mine;
      const show = (next: Publishing) => {
        if (running.current === mine) setState(next);
      };
      const name = visible(file.name);
      show({ phase: "sending", name, fraction: 0 });
      const settle = async () => {
        const sent = await sendPlugin(file, key, (fraction) => show({ phase: "sending", name, fraction }), mine.signal);
        show({ phase: "checking", name });
        const submission = sent.status === "checking" ? await settled(sent.id, key, mine.signal) : sent;
        show({ phase: "settled", name, submission });
        if (submission.status === "published") deliver.current();
      };
      settle().catch((error: unknown) => show({ phase: "failed", trouble: describe(error) }));
    },
    [key],
  );

  const cancel = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setState({ phase: "idle" });
  }, []);

  return { state, publish, cancel };
}

/** Waits for the verdict; a server that is away for a moment does not change it. */
async function settled(id: string, key: string, signal: AbortSignal): Promise<Submission> {
  for (let silent = 0; ; ) {
    await pause(ASK_MS, signal);
    signal.throwIfAborted();
    try {
      const submission = await getSubmission(id, key, signal);
      if (submission.status !== "checking") return submission;
      silent = 0;
    } catch (error) {
      silent += 1;
      if (signal.aborted || silent >= SILENT_MAX) throw error;
    }
  }
}
