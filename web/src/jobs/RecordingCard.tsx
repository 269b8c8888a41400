// One recording of the list: a line that says where it stands, and opened, everything about it.

import { useEffect, useId, useRef, useState } from "react";
import { originalAudioUrl } from "@/api/endpoints";
import type { Track } from "@/api/report";
import type { Job, Preset, Recording } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { Corrected } from "@/player/Corrected";
import { Original } from "@/player/Original";
import { useAnnounce } from "@/ui/Announcer";
import { dayAndTime, size } from "@/ui/words";
import { CorrectAgain } from "./CorrectAgain";
import { DeleteRecording } from "./DeleteRecording";
import { JobView, StatusChip } from "./JobView";
import { isEnded } from "./order";
import { jobTitle, statusWords } from "./words";
import styles from "./jobs.module.css";

type Props = {
  recording: Recording;
  presets: readonly Preset[];
  /** Opened when it first appears: the newest, and what was just sent. */
  startsOpen: boolean;
  justSent: boolean;
  /** A chain to try on it. */
  trial: Trial | null;
  onJob: (job: Job) => void;
  onDeleted: () => void;
};

export function RecordingCard({ recording, presets, startsOpen, justSent, trial, onJob, onDeleted }: Props) {
  const [chosen, setChosen] = useState<{ open: boolean; trial: Trial | null } | null>(null);
  const busy = recording.jobs.some((job) => !isEnded(job));
  // Somebody who comes to try a chain on it wants to see it, closed before or not.
  const open = chosen?.trial === trial ? chosen.open : startsOpen || justSent || busy || trial !== null;
  const [tracks, setTracks] = useState<readonly Track[]>([]);
  const id = useId();
  const toggle = useRef<HTMLButtonElement>(null);
  const original = useRef<HTMLAudioElement>(null);
  const name = recording.file_name ?? "Recording";
  const newest = recording.jobs[0];
  useAnnounceChanges(name, recording.jobs);

  useEffect(() => {
    if (justSent) toggle.current?.focus();
  }, [justSent]);

  return (
    <li className={styles.recording} data-recording={recording.id}>
      <h3 className={styles.recordingHead}>
        <button
          ref={toggle}
          type="button"
          aria-expanded={open}
          aria-controls={`${id}-body`}
          onClick={() => setChosen({ open: !open, trial })}
        >
          <span className={styles.arrow} aria-hidden="true" />
          <span className={styles.names}>
            <bdi className={styles.name}>{name}</bdi>
            <span className={styles.facts}>
              {dayAndTime(recording.created_at)} · {size(recording.size_bytes)}
            </span>
          </span>
          {newest !== undefined && <StatusChip job={newest} />}
        </button>
      </h3>
      <div id={`${id}-body`} hidden={!open}>
        {open && (
          <div className={styles.body}>
            <Original ref={original} url={originalAudioUrl(recording)} email={recording.user_email} />
            {recording.jobs.map((job) =>
              job.status === "completed" ? (
                <Corrected
                  key={job.id}
                  job={job}
                  title={jobTitle(job)}
                  original={original}
                  onJob={onJob}
                  onTracks={setTracks}
                />
              ) : (
                <JobView key={job.id} job={job} onJob={onJob} />
              ),
            )}
            <div className={styles.foot}>
              {presets.length > 0 && (
                <CorrectAgain recording={recording} tracks={tracks} presets={presets} trial={trial} onJob={onJob} />
              )}
              <div className={styles.remove}>
                <DeleteRecording recording={recording} name={name} onDeleted={onDeleted} />
              </div>
            </div>
          </div>
        )}
      </div>
    </li>
  );
}

/** Says each change of a job's state once; progress within a state is not worth interrupting for. */
function useAnnounceChanges(name: string, jobs: readonly Job[]): void {
  const announce = useAnnounce();
  const known = useRef<ReadonlyMap<string, Job["status"]> | null>(null);
  useEffect(() => {
    const before = known.current;
    known.current = new Map(jobs.map((job) => [job.id, job.status]));
    if (before === null) return;
    for (const job of jobs) {
      if (before.get(job.id) !== job.status) announce(`${name}, ${jobTitle(job)}: ${statusWords(job)}`);
    }
  }, [announce, name, jobs]);
}
