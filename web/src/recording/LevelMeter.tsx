// The live level: a bar that follows the voice, and words when something is wrong with it. The bar is
// moved by writing to the element on each frame; going through React would cost more than drawing it.

import { useEffect, useRef, useState } from "react";
import { type Key, t } from "@/i18n";
import { type Advice, LevelAdviser, fall, meterFraction } from "./level";
import type { Recorder } from "./recorder";
import styles from "./recording.module.css";

const ADVICE_WORDS: Readonly<Record<Exclude<Advice, null>, Key>> = {
  "too-loud": "level.tooLoud",
  silent: "level.silent",
};

export function LevelMeter({ recorder, paused }: { recorder: Recorder; paused: boolean }) {
  const bar = useRef<HTMLDivElement>(null);
  const [advice, setAdvice] = useState<Advice>(null);

  useEffect(() => {
    const adviser = new LevelAdviser();
    let shown = 0;
    let before = performance.now();
    let frame = requestAnimationFrame(function draw(now) {
      const elapsedMs = Math.max(0, now - before);
      before = now;
      const level = recorder.level();
      shown = fall(shown, meterFraction(level.peak_dbfs), elapsedMs);
      if (bar.current !== null) bar.current.style.transform = `scaleX(${shown.toFixed(3)})`;
      setAdvice(adviser.next(level, elapsedMs));
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, [recorder]);

  return (
    <div className={styles.level}>
      <div className={paused ? `${styles.meter} ${styles.meterPaused}` : styles.meter} aria-hidden="true">
        <div ref={bar} className={styles.meterCover} />
      </div>
      <p className={styles.advice} role="status">
        {advice === null ? "" : t(ADVICE_WORDS[advice])}
      </p>
    </div>
  );
}
