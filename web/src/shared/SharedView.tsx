// What somebody shares: to hear the difference, and to take it away where the link says so. Whoever has the link needs no
// account.

import { useEffect, useMemo, useState } from "react";
import { RequestFailed, type Trouble, describe } from "@/api/problem";
import { renditionUrl, sharedPlace } from "@/api/renditions";
import type { Report } from "@/api/report";
import { type Shared, getShared, getSharedReport } from "@/api/shares";
import { FORMATS } from "@/api/types";
import { t } from "@/i18n";
import { formatWords } from "@/send/preset";
import { TroubleNote } from "@/ui/TroubleNote";
import { dayAndTime } from "@/ui/words";
import { Listen } from "@/workspace/Listen";
import { Transport } from "@/workspace/sound/transport";
import { StageModel } from "@/workspace/stage/stageModel";
import { Headline, VerdictView } from "@/workspace/verdict/VerdictView";
import styles from "./shared.module.css";

type State =
  | { phase: "opening" }
  | { phase: "gone" }
  | { phase: "failed"; trouble: Trouble }
  | { phase: "open"; shared: Shared; report: Report };

export default function SharedView({ token }: { token: string }) {
  const [state, setState] = useState<State>({ phase: "opening" });
  useEffect(() => {
    const stop = new AbortController();
    Promise.all([getShared(token, stop.signal), getSharedReport(token, stop.signal)]).then(
      ([shared, report]) => setState({ phase: "open", shared, report }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        const gone = error instanceof RequestFailed && error.problem.status === 404;
        setState(gone ? { phase: "gone" } : { phase: "failed", trouble: describe(error) });
      },
    );
    return () => stop.abort();
  }, [token]);

  if (state.phase === "open") return <Open token={token} {...state} />;
  return (
    <main className="page">
      <h1>{t(state.phase === "gone" ? "shared.gone" : "shared.opening")}</h1>
      {state.phase === "gone" && <p className="muted">{t("shared.gone.why")}</p>}
      {state.phase === "failed" && <TroubleNote trouble={state.trouble} alert />}
    </main>
  );
}

function Open({ token, shared, report }: { token: string; shared: Shared; report: Report }) {
  const place = sharedPlace(token);
  const duration_s = report.output.duration_ms / 1000;
  const [transport] = useState(() => new Transport());
  const model = useMemo(() => new StageModel(duration_s), [duration_s]);
  const files = shared.may_download ? { original: `${place}/original`, corrected: `${place}/audio` } : null;
  const name = shared.file_name ?? t("recording");
  useEffect(() => {
    document.title = `${name} · Retake`;
  }, [name]);

  return (
    <main className={styles.shared}>
      <header className={styles.head}>
        <div>
          <h1>
            <bdi>{name}</bdi>
          </h1>
          <p className="muted">
            {dayAndTime(shared.created_at)} · {t("shared.until", { until: dayAndTime(shared.expires_at) })}
          </p>
        </div>
        {shared.may_download && (
          <ul className={styles.files} aria-label={t("shared.files")}>
            {FORMATS.map((format) => (
              <li key={format}>
                <a className="button" href={renditionUrl(place, format)} download title={formatWords(format)}>
                  {format.toUpperCase()}
                </a>
              </li>
            ))}
          </ul>
        )}
      </header>
      <div className={styles.verdict}>
        <Headline report={report} />
      </div>
      <VerdictView report={report} />
      <Listen place={place} files={files} report={report} model={model} transport={transport} />
    </main>
  );
}
