// What somebody shared: to hear, and where the link says so to take away. No account, nothing of the sharer's.

import { useEffect, useState } from "react";
import { asStranger } from "@/api/client";
import { RequestFailed, type Trouble, describe } from "@/api/problem";
import { type Shared, getShared } from "@/api/shares";
import { FORMATS } from "@/api/types";
import { t } from "@/i18n";
import "@/i18n/en";
import { DownloadRendition } from "@/player/Download";
import { Numbers } from "@/player/Numbers";
import { TroubleNote } from "@/ui/TroubleNote";
import { dayAndTime } from "@/ui/words";
import { Listen } from "./Listen";
import { MarkList } from "./stage/MarkList";
import styles from "./workspace.module.css";

export default function SharedView({ token }: { token: string }) {
  const [shared, setShared] = useState<Shared | null>(null);
  const [gone, setGone] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  useEffect(() => {
    asStranger();
    const stop = new AbortController();
    getShared(token, stop.signal).then(setShared, (error: unknown) => {
      if (stop.signal.aborted) return;
      if (error instanceof RequestFailed && error.problem.status === 404) setGone(true);
      else setTrouble(describe(error));
    });
    return () => stop.abort();
  }, [token]);

  if (shared === null) {
    return (
      <main className={`page ${styles.nothing}`}>
        <h1>{gone ? t("shared.gone") : t("workspace.opening")}</h1>
        {gone && <p className="muted">{t("shared.gone.why")}</p>}
        {trouble !== null && <TroubleNote trouble={trouble} />}
      </main>
    );
  }
  return (
    <main className={styles.workspace}>
      <header className={styles.head}>
        <div className={styles.names}>
          <h1>
            <bdi>{shared.file_name ?? t("recording")}</bdi>
          </h1>
          <p className={styles.facts}>{t("shared.until", { when: dayAndTime(shared.expires_at) })}</p>
        </div>
      </header>
      <Listen
        addresses={shared.addresses}
        report={shared.report}
        goal={shared.may_download ? <DownloadRendition formats={FORMATS} address={shared.rendition} /> : null}
        below={(transport, model) => (
          <div className={styles.below}>
            <details className={styles.fold}>
              <summary>{t("measured")}</summary>
              <Numbers report={shared.report} />
            </details>
            <MarkList report={shared.report} model={model} transport={transport} />
          </div>
        )}
      />
    </main>
  );
}
