// Choose or drop a .wasm, see it sent and checked, read the verdict.

import { useId } from "react";
import type { Chain } from "@/api/chain";
import type { Submission } from "@/api/check";
import { troubleOf } from "@/api/problem";
import { useFileDrop } from "@/ui/useFileDrop";
import { TroubleNote } from "@/ui/TroubleNote";
import { percent } from "@/ui/words";
import { CheckReportView } from "./CheckReportView";
import { useCatalogue } from "./Catalogue";
import { nameInChain } from "./find";
import { usePublishing } from "./usePublishing";
import styles from "./plugins.module.css";

type Props = { adminKey: string; onTry: (chain: Chain, name: string) => void; onPublished: () => void };

export function PublishFile({ adminKey, onTry, onPublished }: Props) {
  const id = useId();
  const { state, publish, cancel } = usePublishing(adminKey, onPublished);
  const busy = state.phase === "sending" || state.phase === "checking";
  const over = useFileDrop(
    ([file]) => {
      if (!busy && file !== undefined) publish(file);
    },
    { first: true },
  );
  return (
    <div className={styles.publish}>
      {!busy && (
        <div className={over ? `${styles.drop} ${styles.over}` : styles.drop}>
          <label htmlFor={id} className={styles.dropLabel}>
            Choose a plugin
          </label>
          <input
            id={id}
            className={styles.dropInput}
            type="file"
            accept=".wasm,application/wasm"
            aria-describedby={`${id}-hint`}
            onChange={(event) => {
              const file = event.target.files?.[0];
              event.target.value = "";
              if (file !== undefined) publish(file);
            }}
          />
          <p id={`${id}-hint`} className="muted">
            or drop it here: a .wasm, as <code>retake plugin build</code> makes it. It is checked in a sandbox first.
          </p>
        </div>
      )}
      {busy && (
        <div className={styles.busy}>
          <p role="status">
            {state.phase === "sending" ? `Sending ${state.name}…` : `Checking ${state.name}: this takes up to a few minutes.`}
          </p>
          <progress
            aria-label={state.phase === "sending" ? "Sent" : "Checking"}
            {...(state.phase === "sending" ? { value: state.fraction } : {})}
          />
          {state.phase === "sending" && <p className="muted">{percent(state.fraction)}</p>}
          <button type="button" onClick={cancel}>
            {state.phase === "sending" ? "Cancel" : "Do not wait"}
          </button>
        </div>
      )}
      {state.phase === "failed" && <TroubleNote trouble={state.trouble} alert />}
      {state.phase === "settled" && <Verdict name={state.name} submission={state.submission} onTry={onTry} />}
    </div>
  );
}

type VerdictProps = { name: string; submission: Submission; onTry: (chain: Chain, name: string) => void };

function Verdict({ name, submission, onTry }: VerdictProps) {
  const { plugins } = useCatalogue();
  const { plugin, error, check } = submission;
  const published = submission.status === "published";
  // The report tells the same, and better.
  const told = check !== null && !check.passed;
  const attempt = (found: { id: string; version: string }) => {
    const listed = plugins.find((entry) => entry.id === found.id);
    const step = { plugin: listed === undefined ? found.id : nameInChain(plugins, listed) };
    const newest = listed === undefined || listed.version === found.version;
    onTry({ steps: [newest ? step : { ...step, version: found.version }] }, listed?.name ?? found.id);
  };
  return (
    <section className={styles.part} aria-label="Verdict" data-verdict={submission.status}>
      <div role="status">
        {published && plugin !== null ? (
          <p className={styles.good}>
            <strong>{name} is published</strong> as {plugin.id} {plugin.version}. Every worker takes it from now on.
          </p>
        ) : (
          <p>
            <strong>{name} was refused.</strong>
          </p>
        )}
      </div>
      {published && plugin !== null && (
        <div className="actions">
          <button type="button" className="primary" onClick={() => attempt(plugin)}>
            Try it
          </button>
        </div>
      )}
      {!published && error !== null && !told && <TroubleNote trouble={troubleOf(error)} alert />}
      {check !== null && <CheckReportView report={check} />}
    </section>
  );
}
