// The recorder as React state: idle -> asking -> recording <-> paused -> (recorded by callback) idle.

import { useCallback, useEffect, useRef, useState } from "react";
import { type MicrophoneChoice, MicrophoneError, type MicrophoneTrouble } from "./microphone";
import { type Recorded, Recorder } from "./recorder";

export type RecorderState =
  | { phase: "idle"; trouble: MicrophoneTrouble | null }
  | { phase: "asking" }
  | { phase: "recording" | "paused"; recorder: Recorder };

export type RecorderControls = {
  state: RecorderState;
  start: (choice: MicrophoneChoice) => void;
  pause: () => void;
  resume: () => void;
  stop: () => void;
  /** Throws away what is being recorded. */
  discard: () => void;
};

const IDLE: RecorderState = { phase: "idle", trouble: null };

export function useRecorder(onRecorded: (recorded: Recorded) => void): RecorderControls {
  const [state, setState] = useState<RecorderState>(IDLE);
  const held = useRef<Recorder | null>(null);
  // Raised by every start, discard and unmount: a microphone that arrives for an older one is closed.
  const turn = useRef(0);
  const deliver = useRef(onRecorded);
  useEffect(() => {
    deliver.current = onRecorded;
  });

  const letGo = useCallback(() => {
    turn.current += 1;
    held.current?.dispose();
    held.current = null;
  }, []);

  useEffect(() => letGo, [letGo]);

  const start = useCallback(
    (choice: MicrophoneChoice) => {
      letGo();
      const mine = turn.current;
      setState({ phase: "asking" });
      const recorder = Recorder.start(choice, {
        onRecorded: (recorded) => {
          held.current = null;
          setState(IDLE);
          deliver.current(recorded);
        },
        onFailed: () => {
          held.current = null;
          setState({ phase: "idle", trouble: "other" });
        },
      });
      recorder.then(
        (opened) => {
          if (mine !== turn.current) {
            opened.dispose();
            return;
          }
          held.current = opened;
          setState({ phase: "recording", recorder: opened });
        },
        (error: unknown) => {
          if (mine !== turn.current) return;
          setState({ phase: "idle", trouble: error instanceof MicrophoneError ? error.trouble : "other" });
        },
      );
    },
    [letGo],
  );

  const pause = useCallback(() => {
    const recorder = held.current;
    if (recorder === null) return;
    recorder.pause();
    setState({ phase: "paused", recorder });
  }, []);

  const resume = useCallback(() => {
    const recorder = held.current;
    if (recorder === null) return;
    recorder.resume();
    setState({ phase: "recording", recorder });
  }, []);

  const stop = useCallback(() => held.current?.stop(), []);

  const discard = useCallback(() => {
    letGo();
    setState(IDLE);
  }, [letGo]);

  return { state, start, pause, resume, stop, discard };
}
