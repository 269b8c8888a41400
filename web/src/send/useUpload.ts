// One upload at a time: its progress, its end, its cancellation. Leaving the page's part that shows it
// cancels it.

import { useCallback, useEffect, useRef, useState } from "react";
import { type Trouble, describe } from "@/api/problem";
import type { Accepted } from "@/api/types";
import { type Upload, sendRecording } from "@/api/upload";

export type UploadState =
  | { phase: "idle" }
  /** At 1 everything has been sent and the server is storing it. */
  | { phase: "sending"; fraction: number }
  | { phase: "failed"; trouble: Trouble };

export function useUpload(
  onAccepted: (upload: Upload, accepted: Accepted) => void,
  onFailed: (error: unknown) => void,
): {
  state: UploadState;
  send: (upload: Upload) => void;
  cancel: () => void;
} {
  const [state, setState] = useState<UploadState>({ phase: "idle" });
  const running = useRef<AbortController | null>(null);
  const deliver = useRef({ onAccepted, onFailed });
  useEffect(() => {
    deliver.current = { onAccepted, onFailed };
  });

  const cancel = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setState({ phase: "idle" });
  }, []);

  useEffect(() => () => running.current?.abort(), []);

  const send = useCallback((upload: Upload) => {
    if (running.current !== null) return;
    const mine = new AbortController();
    running.current = mine;
    setState({ phase: "sending", fraction: 0 });
    const onProgress = (fraction: number) => {
      if (running.current === mine) setState({ phase: "sending", fraction });
    };
    sendRecording(upload, onProgress, mine.signal).then(
      (accepted) => {
        if (running.current !== mine) return;
        running.current = null;
        setState({ phase: "idle" });
        deliver.current.onAccepted(upload, accepted);
      },
      (error: unknown) => {
        if (running.current !== mine) return;
        running.current = null;
        setState({ phase: "failed", trouble: describe(error) });
        deliver.current.onFailed(error);
      },
    );
  }, []);

  return { state, send, cancel };
}
