// Listens to the other of the two recordings from the same place on. Only one sounds at a time, so
// the few milliseconds by which two media elements drift apart cannot be heard.

import { type RefObject, useEffect, useMemo, useState } from "react";
import type { Report } from "@/api/report";
import { cutsOf, inCorrection, inOriginal } from "@/report/alignment";
import { FULL, type Volumes, matchedVolumes } from "./match";
import styles from "./player.module.css";

type Props = {
  original: RefObject<HTMLAudioElement | null>;
  corrected: RefObject<HTMLAudioElement | null>;
  report: Report | null;
};

export function SwitchButton({ original, corrected, report }: Props) {
  const [sounding, setSounding] = useState<"original" | "corrected">("original");
  const [matched, setMatched] = useState(false);

  useEffect(() => {
    const before = original.current;
    const after = corrected.current;
    if (before === null || after === null) return;
    const onBefore = () => setSounding("original");
    const onAfter = () => setSounding("corrected");
    before.addEventListener("play", onBefore);
    after.addEventListener("play", onAfter);
    return () => {
      before.removeEventListener("play", onBefore);
      after.removeEventListener("play", onAfter);
    };
  }, [original, corrected]);

  const volumes = useMemo(() => (matched && report !== null ? matchedVolumes(report) : FULL), [matched, report]);
  useEffect(() => {
    if (original.current !== null && corrected.current !== null) {
      setVolumes(original.current, corrected.current, volumes);
    }
  }, [original, corrected, volumes]);

  const cuts = useMemo(() => (report === null ? [] : cutsOf(report)), [report]);

  const change = () => {
    const [from, to] =
      sounding === "original" ? [original.current, corrected.current] : [corrected.current, original.current];
    if (from === null || to === null) return;
    if (original.current !== null && corrected.current !== null) {
      // Anew at each switch: the original is also compared with other corrections.
      setVolumes(original.current, corrected.current, volumes);
    }
    // Where pauses were taken out, the same word is at another time.
    const there = sounding === "original" ? inCorrection(cuts, from.currentTime) : inOriginal(cuts, from.currentTime);
    to.currentTime = from.ended ? 0 : there;
    // Starting one pauses the other. Refused where the browser wants a click on the player itself.
    to.play().catch(() => undefined);
  };

  return (
    <>
      <button type="button" onClick={change}>
        {sounding === "original" ? "Hear the corrected from here" : "Hear the original from here"}
      </button>
      {report !== null && (
        <label className={styles.match}>
          <input type="checkbox" checked={matched} onChange={(event) => setMatched(event.target.checked)} />
          <span>Match loudness</span>
        </label>
      )}
    </>
  );
}

function setVolumes(original: HTMLAudioElement, corrected: HTMLAudioElement, volumes: Volumes): void {
  original.volume = volumes.original;
  corrected.volume = volumes.corrected;
}
