// The recorder as React state: idle -> asking -> recording <-> paused -> (recorded by callback) idle.

import { useCallback, useEffect, useRef, useState } from "react";
import { Keeper } from "./keeper";
import type { MicrophoneChoice, MicrophoneTrouble } from "./microphone";
import type { Recorded, Recorder, RecorderListener } from "./recorder";
import { vault } from "./vault";

export type RecorderState =
  | { phase: "idle"; trouble: MicrophoneTrouble | null }
  | { phase: "asking" }
  /** `kept`: whether what is recorded outlives a crash. */
  | { phase: "recording" | "paused"; recorder: Recorder; kept: boolean };

export type RecorderControls = {
  state: RecorderState;
  start: (choice: MicrophoneChoice) => void;
  pause: () => void;
  resume: () => void;
  stop: () => void;
  /** Throws away what is being recorded. */
  discard: () => void;
};

/** Not needed before somebody is about to record: to be called when a hand comes near, too. */
export function loadRecorder(): Promise<{ Recorder: typeof Recorder }> {
  return import("./recorder");
}

/** A microphone's own, by its shape: its class comes with the recorder. */
function troubleIn(error: unknown): MicrophoneTrouble {
  if (!(error instanceof Error) || error.name !== "MicrophoneError" || !("trouble" in error)) return "other";
  return error.trouble as MicrophoneTrouble;
}

const IDLE: RecorderState = { phase: "idle", trouble: null };

/** The key is the take's in the vault, where it was kept. */
export type Finished = Recorded & { key: string; kept: boolean };

export function useRecorder(onRecorded: (finished: Finished) => void): RecorderControls {
  const [state, setState] = useState<RecorderState>(IDLE);
  const held = useRef<Recorder | null>(null);
  const keeping = useRef<Keeper | null>(null);
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
      const keeper = new Keeper(vault, new Date(), (error) => {
        console.warn("the recording is kept in memory only", error);
        setState((now) => ("recorder" in now ? { ...now, kept: false } : now));
      });
      keeping.current = keeper;
      const listener: RecorderListener = {
        onPart: (part, elapsed_ms) => void keeper.add(part, elapsed_ms),
        onRecorded: (recorded) => {
          held.current = null;
          setState(IDLE);
          deliver.current({ ...recorded, key: keeper.id, kept: keeper.kept });
        },
        onFailed: () => {
          held.current = null;
          setState({ phase: "idle", trouble: "other" });
        },
      };
      const recorder = loadRecorder().then(({ Recorder }) => Recorder.start(choice, listener));
      recorder.then(
        (opened) => {
          if (mine !== turn.current) {
            opened.dispose();
            return;
          }
          held.current = opened;
          setState({ phase: "recording", recorder: opened, kept: keeper.kept });
        },
        (error: unknown) => {
          if (mine !== turn.current) return;
          setState({ phase: "idle", trouble: troubleIn(error) });
        },
      );
    },
    [letGo],
  );

  const pause = useCallback(() => {
    const recorder = held.current;
    if (recorder === null) return;
    recorder.pause();
    setState((now) => ({ phase: "paused", recorder, kept: "kept" in now && now.kept }));
  }, []);

  const resume = useCallback(() => {
    const recorder = held.current;
    if (recorder === null) return;
    recorder.resume();
    setState((now) => ({ phase: "recording", recorder, kept: "kept" in now && now.kept }));
  }, []);

  const stop = useCallback(() => held.current?.stop(), []);

  const discard = useCallback(() => {
    const keeper = keeping.current;
    letGo();
    setState(IDLE);
    // Behind what is still being written.
    if (keeper !== null) void keeper.settled().then(() => vault?.remove(keeper.id));
    keeping.current = null;
  }, [letGo]);

  return { state, start, pause, resume, stop, discard };
}
