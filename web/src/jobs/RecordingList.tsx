// The lower half of the page: what was sent, newest first.

import { useRef, useState } from "react";
import type { Trouble } from "@/api/problem";
import type { Preset } from "@/api/types";
import type { Trial } from "@/chain/useTrial";
import { TroubleNote } from "@/ui/TroubleNote";
import { RecordingCard } from "./RecordingCard";
import { unfinished } from "./state";
import type { Recordings } from "./useRecordings";
import styles from "./jobs.module.css";

type Props = { recordings: Recordings; presets: readonly Preset[]; sentId: string | null; trial: Trial | null };

export function RecordingList({ recordings, presets, sentId, trial }: Props) {
  const { state, stream, refresh, loadMore, jobChanged, deleted } = recordings;
  const heading = useRef<HTMLHeadingElement>(null);
  const behind = stream === "waiting" && unfinished(state.recordings).length > 0;
  return (
    <section className={styles.list} aria-labelledby="my-recordings">
      <h2 id="my-recordings" ref={heading} tabIndex={-1}>
        Your recordings
      </h2>
      {behind && <p className="note">The live connection is interrupted. Looking every few seconds until it is back.</p>}
      {state.phase === "loading" && <p className="muted">Looking…</p>}
      {state.phase === "failed" && state.trouble !== null && (
        <TroubleNote trouble={state.trouble}>
          <button type="button" onClick={refresh}>
            Try again
          </button>
        </TroubleNote>
      )}
      {state.phase === "ready" && state.recordings.length === 0 && (
        <p className="muted">Nothing yet. What you send appears here, and stays until you delete it.</p>
      )}
      <ol className={styles.cards}>
        {state.recordings.map((recording, index) => (
          <RecordingCard
            key={recording.id}
            recording={recording}
            presets={presets}
            startsOpen={index === 0}
            justSent={recording.id === sentId}
            trial={trial?.recordingId === recording.id ? trial : null}
            onJob={jobChanged}
            onDeleted={() => {
              deleted(recording.id);
              heading.current?.focus();
            }}
          />
        ))}
      </ol>
      {state.nextPageToken !== null && <LoadMore loadMore={loadMore} />}
    </section>
  );
}

function LoadMore({ loadMore }: { loadMore: () => Promise<Trouble | null> }) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const load = async () => {
    setBusy(true);
    setTrouble(await loadMore());
    setBusy(false);
  };
  return (
    <div className="actions">
      <button type="button" disabled={busy} onClick={() => void load()}>
        {busy ? "Looking…" : "Show older ones"}
      </button>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </div>
  );
}
