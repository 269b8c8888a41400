// A corrected recording: play it, switch between it and the original at the same place, see what has
// changed, download it.

import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { correctedAudioUrl } from "@/api/endpoints";
import { compareTracksUrl, compareUrl } from "@/api/renditions";
import type { Track } from "@/api/report";
import type { Job } from "@/api/types";
import { Findings } from "@/findings/Findings";
import { LoudnessView } from "@/report/LoudnessView";
import { Steps } from "@/report/Steps";
import { Targets } from "@/report/Targets";
import { usedTrackWords } from "@/report/tracks";
import { CompareButton, ComparePlayer } from "./Compare";
import { Download } from "./Download";
import { Numbers } from "./Numbers";
import { SwitchButton } from "./SwitchButton";
import { TracksPlayer } from "./TracksPlayer";
import { canChangeTracks } from "./trackChoice";
import { useReport } from "./useReport";
import styles from "./player.module.css";

/** Which player has both: none yet, that of channels, that of tracks (which are made first), or none can. */
type Both = "no" | "channels" | "makes tracks" | "tracks" | "cannot";

type Props = {
  job: Job;
  title: string;
  original: RefObject<HTMLAudioElement | null>;
  onJob: (job: Job) => void;
  /** Called once it is known which tracks the recording has. */
  onTracks: (tracks: readonly Track[]) => void;
};

export function Corrected({ job, title, original, onJob, onTracks }: Props) {
  const corrected = useRef<HTMLAudioElement>(null);
  const [both, setBoth] = useState<Both>("no");
  const report = useReport(job.id);
  const measured = report.phase === "ready" ? report.report : null;
  // What the job itself tells is here before its report.
  const found = useMemo(() => [...job.warnings, ...(measured?.findings ?? [])], [job.warnings, measured]);
  const usedTrack = measured === null ? null : usedTrackWords(measured.tracks);
  useEffect(() => {
    if (measured !== null && measured.tracks.length > 0) onTracks(measured.tracks);
  }, [measured, onTracks]);
  const url = correctedAudioUrl(job);
  return (
    <div className={`${styles.player} ${styles.corrected}`} data-job={job.id} data-status={job.status}>
      <p className={styles.label}>
        <strong>Corrected</strong> <span className="muted">{title}</span>
        {usedTrack !== null && <span className="muted">{usedTrack}</span>}
      </p>
      {both === "channels" && measured !== null ? (
        <ComparePlayer
          job={job}
          report={measured}
          onUnplayable={() => setBoth(canChangeTracks() ? "makes tracks" : "cannot")}
        />
      ) : both === "tracks" && measured !== null ? (
        <TracksPlayer job={job} report={measured} onUnplayable={() => setBoth("cannot")} />
      ) : (
        <>
          <audio
            ref={corrected}
            controls
            preload="metadata"
            src={url}
            aria-label={`Corrected recording, ${title}`}
            data-player="corrected"
          />
          <div className="actions">
            <SwitchButton original={original} corrected={corrected} report={measured} />
            {measured !== null && both === "no" && (
              <CompareButton url={compareUrl(job)} onReady={() => setBoth("channels")} />
            )}
            {both === "makes tracks" && (
              <CompareButton url={compareTracksUrl(job)} atOnce onReady={() => setBoth("tracks")} />
            )}
          </div>
          {both === "cannot" && (
            <p role="status">
              This browser cannot play both out of one player. “Hear the corrected from here” switches between the two
              players instead.
            </p>
          )}
        </>
      )}
      <Download job={job} />
      <Findings job={job} found={found} onJob={onJob} />
      {measured !== null && <Targets targets={measured.targets} />}
      <Numbers report={report} />
      {measured !== null && (
        <>
          <LoudnessView report={measured} />
          <Steps job={job} report={measured} />
        </>
      )}
    </div>
  );
}
