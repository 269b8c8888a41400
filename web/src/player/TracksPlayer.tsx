// Original and correction as tracks of one file: for browsers that cannot decode the stream of channels and can
// change tracks. What was removed cannot be heard here, since only one track plays.

import { useEffect, useMemo, useRef, useState } from "react";
import { compareTracksUrl } from "@/api/renditions";
import type { Report } from "@/api/report";
import type { Job } from "@/api/types";
import { HeardChoice, WORDS } from "./HeardChoice";
import { FULL, matchedVolumes } from "./match";
import { type OneTrack, PLACES, playOne, tracksOf } from "./trackChoice";
import styles from "./player.module.css";

export function TracksPlayer({ job, report, onUnplayable }: { job: Job; report: Report; onUnplayable: () => void }) {
  const element = useRef<HTMLAudioElement>(null);
  const [heard, setHeard] = useState<OneTrack>("corrected");
  const [matched, setMatched] = useState(true);
  const volumes = useMemo(() => (matched ? matchedVolumes(report) : FULL), [matched, report]);

  const choose = () => {
    const audio = element.current;
    if (audio === null || audio.readyState === HTMLMediaElement.HAVE_NOTHING) return;
    audio.volume = volumes[heard];
    if (!playOne(tracksOf(audio), heard)) onUnplayable();
  };
  useEffect(choose);

  return (
    <div className={styles.compare}>
      <audio
        ref={element}
        controls
        preload="auto"
        src={compareTracksUrl(job)}
        onLoadedMetadata={choose}
        onError={onUnplayable}
        aria-label={`${WORDS[heard]}, out of both`}
        data-player="tracks"
      />
      <HeardChoice all={PLACES} heard={heard} onHeard={setHeard} matched={matched} onMatched={setMatched} />
    </div>
  );
}
