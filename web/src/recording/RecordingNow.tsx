// While the microphone is on: time, level, pause, stop, discard.

import { useEffect, useRef, useState } from "react";
import { t } from "@/i18n";
import "@/i18n/en";
import { clock } from "@/ui/words";
import { LevelMeter } from "./LevelMeter";
import type { Recorder } from "./recorder";
import styles from "./recording.module.css";

type Props = {
  recorder: Recorder;
  paused: boolean;
  /** Whether a crash loses no more than a second. */
  kept: boolean;
  onPause: () => void;
  onResume: () => void;
  onStop: () => void;
  onDiscard: () => void;
};

export default function RecordingNow({ recorder, paused, kept, onPause, onResume, onStop, onDiscard }: Props) {
  const stop = useRef<HTMLButtonElement>(null);
  useEffect(() => stop.current?.focus(), []);
  return (
    <div className={styles.now}>
      <p className={styles.time}>
        <span className={paused ? styles.dotPaused : styles.dot} aria-hidden="true" />
        <span className={styles.state}>{paused ? t("record.paused") : t("record.running")}</span>
        <Elapsed recorder={recorder} />
      </p>
      <LevelMeter recorder={recorder} paused={paused} />
      <div className="actions">
        <button ref={stop} type="button" className="primary" onClick={onStop}>
          {t("record.stop")}
        </button>
        <button type="button" onClick={paused ? onResume : onPause}>
          {paused ? t("record.goOn") : t("record.pause")}
        </button>
        <button type="button" className="quiet" onClick={onDiscard}>
          {t("take.throwAway")}
        </button>
      </div>
      <p className="fine">
        {recorder.deviceName === "" ? t("record.microphone") : recorder.deviceName},{" "}
        {recorder.processedByBrowser ? t("record.processed") : t("record.asItComes")}.{" "}
        {kept ? t("record.kept") : <strong>{t("record.notKept")}</strong>}
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
