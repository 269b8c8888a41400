// Below the start page's way in: what was sent last.

import { t } from "@/i18n";
import { TroubleNote } from "@/ui/TroubleNote";
import { ViewLink } from "@/ui/ViewLink";
import { EVERYTHING, type View } from "@/ui/useView";
import { RecordingRow } from "./RecordingRow";
import { unfinished } from "./state";
import type { Recordings } from "./useRecordings";
import styles from "./jobs.module.css";

const SHOWN_MAX = 6;

export function RecentRecordings({ recordings, go }: { recordings: Recordings; go: (view: View) => void }) {
  const { state, stream, refresh } = recordings;
  const behind = stream === "waiting" && unfinished(state.recordings).length > 0;
  return (
    <section className={styles.list} aria-labelledby="recent">
      <h2 id="recent">{t("recent.title")}</h2>
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
        {state.recordings.slice(0, SHOWN_MAX).map((recording) => (
          <RecordingRow key={recording.id} recording={recording} go={go} />
        ))}
      </ol>
      {state.recordings.length > SHOWN_MAX && (
        <p>
          <ViewLink to={EVERYTHING} go={go}>
            {t("recent.all")}
          </ViewLink>
        </p>
      )}
    </section>
  );
}
