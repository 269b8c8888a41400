// Everything that was sent, newest first.

import { useRef, useState } from "react";
import type { Trouble } from "@/api/problem";
import { t } from "@/i18n";
import { TroubleNote } from "@/ui/TroubleNote";
import type { View } from "@/ui/useView";
import { RecordingRow } from "./RecordingRow";
import { unfinished } from "./state";
import type { Recordings } from "./useRecordings";
import styles from "./jobs.module.css";

type Props = { recordings: Recordings; view: View & { name: "recordings" }; go: (view: View) => void };

export default function RecordingsView({ recordings, go }: Props) {
  const { state, stream, refresh, loadMore } = recordings;
  const heading = useRef<HTMLHeadingElement>(null);
  const behind = stream === "waiting" && unfinished(state.recordings).length > 0;
  return (
    <main className="page">
      <h1 ref={heading} tabIndex={-1}>
        {t("list.title")}
      </h1>
      {behind && <p className="note">{t("list.behind")}</p>}
      {state.phase === "loading" && <p className="muted">{t("list.looking")}</p>}
      {state.phase === "failed" && state.trouble !== null && (
        <TroubleNote trouble={state.trouble}>
          <button type="button" onClick={refresh}>
            {t("again")}
          </button>
        </TroubleNote>
      )}
      {state.phase === "ready" && state.recordings.length === 0 && <p className="muted">{t("list.nothing")}</p>}
      <ol className={styles.rows}>
        {state.recordings.map((recording) => (
          <RecordingRow key={recording.id} recording={recording} go={go} />
        ))}
      </ol>
      {state.nextPageToken !== null && <LoadMore loadMore={loadMore} />}
    </main>
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
        {busy ? t("list.looking") : t("list.older")}
      </button>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </div>
  );
}
