// Hears original and correction out of one player: switching has no gap and loses no place. What was removed
// can be heard as well.

import { useEffect, useMemo, useRef, useState } from "react";
import { compareUrl } from "@/api/renditions";
import type { Report } from "@/api/report";
import type { Job } from "@/api/types";
import { TroubleNote } from "@/ui/TroubleNote";
import { CompareEngine, HEARD, type Heard, channelsOf, gainsFor } from "./compare";
import { HeardChoice, WORDS } from "./HeardChoice";
import { matchedVolumes } from "./match";
import { useMaking } from "./useMaking";
import styles from "./player.module.css";

type ButtonProps = {
  /** Of what is to be played. */
  url: string;
  /** Without a click: there was one already. */
  atOnce?: boolean;
  onReady: () => void;
};

/** Has it made, and tells when it is there. */
export function CompareButton({ url, atOnce = false, onReady }: ButtonProps) {
  const { making, trouble, make, stop } = useMaking();
  const start = async () => {
    if (await make(url, "The comparison")) onReady();
  };
  const begun = useRef(false);
  useEffect(() => {
    if (!atOnce || begun.current) return;
    begun.current = true;
    void start();
  });
  return (
    <>
      {making ? (
        <button type="button" onClick={stop}>
          Getting both ready… Stop
        </button>
      ) : (
        <button type="button" onClick={() => void start()}>
          Compare in one player
        </button>
      )}
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </>
  );
}

type PlayerProps = {
  job: Job;
  report: Report;
  /** This browser cannot play the stream: Opus whose channels know nothing of each other is not for every one. */
  onUnplayable: () => void;
};

export function ComparePlayer({ job, report, onUnplayable }: PlayerProps) {
  const element = useRef<HTMLAudioElement>(null);
  const engine = useRef<CompareEngine | null>(null);
  const [heard, setHeard] = useState<Heard>("corrected");
  const [matched, setMatched] = useState(true);
  const volumes = useMemo(() => matchedVolumes(report), [report]);
  const gains = gainsFor(heard, matched, volumes);
  const channels = channelsOf(report.input.channels, report.output.channels);

  // An element can be taken into the engine once only, and a browser lets it sound only after a click.
  const onPlay = () => {
    if (element.current === null || engine.current !== null) return;
    engine.current = new CompareEngine(element.current, channels);
    engine.current.hear(gains);
  };
  useEffect(() => {
    engine.current?.hear({ original: gains.original, corrected: gains.corrected });
  }, [gains.original, gains.corrected]);
  useEffect(() => () => engine.current?.close(), []);

  return (
    <div className={styles.compare}>
      <audio
        ref={element}
        controls
        preload="auto"
        src={compareUrl(job)}
        onPlay={onPlay}
        onError={(event) => {
          // What went wrong on the line is none of that: the player itself asks again.
          const code = event.currentTarget.error?.code;
          if (code === MediaError.MEDIA_ERR_DECODE || code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED) onUnplayable();
        }}
        aria-label={`${WORDS[heard]}, out of both`}
        data-player="compare"
      />
      <HeardChoice all={HEARD} heard={heard} onHeard={setHeard} matched={matched} onMatched={setMatched} />
    </div>
  );
}
