// The same job once more, of another track.

import { useState } from "react";
import type { Wish } from "@/api/chain";
import { correctAgain } from "@/api/endpoints";
import { type Trouble, describe } from "@/api/problem";
import type { Job } from "@/api/types";
import { TroubleNote } from "@/ui/TroubleNote";

type Props = { job: Job; track: number; words: string; onJob: (job: Job) => void };

export function TrackInstead({ job, track, words, onJob }: Props) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const wish = wishOf(job);
  if (wish === null) return null;

  const start = async () => {
    setBusy(true);
    setTrouble(null);
    try {
      onJob((await correctAgain(job.recording_id, wish, job.format, track)).job);
    } catch (error) {
      setTrouble(describe(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <div className="actions">
        <button type="button" disabled={busy} onClick={() => void start()}>
          {words}
        </button>
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </>
  );
}

function wishOf(job: Job): Wish | null {
  if (job.preset !== null) return { preset: job.preset };
  return job.chain === null ? null : { chain: job.chain };
}
