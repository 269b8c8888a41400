// While the microphone is on: time, level, pause, stop, discard.

import { useEffect, useRef, useState } from "react";
import { clock } from "@/ui/words";
import { LevelMeter } from "./LevelMeter";
import type { Recorder } from "./recorder";
import styles from "./recording.module.css";

type Props = {
  recorder: Recorder;
  paused: boolean;
  onPause: () => void;
  onResume: () => void;
  onStop: () => void;
  onDiscard: () => void;
};

export function RecordingNow({ recorder, paused, onPause, onResume, onStop, onDiscard }: Props) {
  const stop = useRef<HTMLButtonElement>(null);
  useEffect(() => stop.current?.focus(), []);
  return (
    <div className={styles.now}>
      <p className={styles.time}>
        <span className={paused ? styles.dotPaused : styles.dot} aria-hidden="true" />
        <span className={styles.state}>{paused ? "Paused" : "Recording"}</span>
        <Elapsed recorder={recorder} />
      </p>
      <LevelMeter recorder={recorder} paused={paused} />
      <div className="actions">
        <button ref={stop} type="button" className="primary" onClick={onStop}>
          Stop
        </button>
        <button type="button" onClick={paused ? onResume : onPause}>
          {paused ? "Go on" : "Pause"}
        </button>
        <button type="button" className="quiet" onClick={onDiscard}>
          Throw away
        </button>
      </div>
      <p className="fine">
        {recorder.deviceName === "" ? "Microphone" : recorder.deviceName}
        {recorder.processedByBrowser ? ", changed by the browser (echo, noise or gain)" : ", as it comes"}
      </p>
    </div>
  );
}

function Elapsed({ recorder }: { recorder: Recorder }) {
  const [shown, setShown] = useState(() => clock(recorder.elapsedMs));
  useEffect(() => {
    const timer = setInterval(() => setShown(clock(recorder.elapsedMs)), 200);
    return () => clearInterval(timer);
  }, [recorder]);
  return (
    <span className={styles.clock} role="timer">
      {shown}
    </span>
  );
}
