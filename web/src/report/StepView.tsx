// One step of a report: what ran, what it found and did, how to hear it.

import { deltaAudioUrl } from "@/api/endpoints";
import { sentence } from "@/api/problem";
import type { StepReport } from "@/api/report";
import type { Job } from "@/api/types";
import { useCatalogue } from "@/plugins/Catalogue";
import { t } from "@/i18n";
import { CurveView } from "./CurveView";
import { LogLines, RanBytes } from "./ForAuthors";
import { channelLabel, cutWords, findings, levelChange, sentences, settingWords } from "./words";
import styles from "./report.module.css";

type Props = {
  job: Job;
  step: StepReport;
  /** Its place in the report. */
  index: number;
  /** The stream's, in Hz. */
  rate: number;
};

export function StepView({ job, step, index, rate }: Props) {
  const { manifestOf } = useCatalogue();
  const plugin = step.plugin === null ? undefined : manifestOf({ plugin: step.plugin.id, version: null });
  const title = plugin?.name ?? step.step;
  const found = findings(step);
  const facts = [
    cutWords(step, rate),
    step.level_change_db === null || step.skipped ? null : levelChange(step.level_change_db),
  ].filter((fact) => fact !== null);
  const settings = settingWords(step, plugin);
  return (
    <li className={styles.step} data-step={step.step} data-skipped={step.skipped}>
      <p className={styles.title}>
        <strong>{title}</strong>
        {step.plugin !== null && <span className="muted">{step.plugin.version}</span>}
        {step.recommended && <span className={styles.tag}>{t("step.recommended")}</span>}
        {step.skipped && <span className={`${styles.tag} ${styles.skipped}`}>{t("step.skipped")}</span>}
      </p>
      {settings !== "" && <p className="fine">{settings}</p>}
      {step.skipped && (
        <p className="note">{step.error === null ? t("step.failed") : sentence(step.error.detail)}</p>
      )}
      {sentences(step).length > 0 && (
        <ul className={styles.sentences}>
          {sentences(step).map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      )}
      {facts.length > 0 && <p>{facts.join(" · ")}</p>}
      {(found.length > 0 || step.curves.length > 0) && (
        <details className={styles.numbers}>
          <summary>{t("step.measured")}</summary>
          <dl className={styles.findings}>
            {found.map(({ key, label, value }) => (
              <div key={key}>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <div className={styles.curves}>
            {step.curves.map((curve, at) => (
              <CurveView key={`${curve.id} ${at}`} curve={curve} name={channelLabel(step, curve)} rate={rate} />
            ))}
          </div>
        </details>
      )}
      {step.delta && (
        <div className={styles.delta}>
          <p>{t("step.removed")}</p>
          <audio
            controls
            preload="none"
            src={deltaAudioUrl(job, index)}
            aria-label={t("step.removed.by", { title })}
            data-player="delta"
          />
        </div>
      )}
      <StepForAuthors step={step} />
    </li>
  );
}

function StepForAuthors({ step }: { step: StepReport }) {
  if (step.plugin === null && step.log.length === 0) return null;
  return (
    <details className={styles.authors}>
      <summary>{t("step.authors")}</summary>
      {step.plugin !== null && (
        <>
          <RanBytes plugin={step.plugin} />
          <p className="fine">
            {t("step.cost", { ms: step.cpu_ms, frames: step.latency_frames })}
          </p>
        </>
      )}
      <LogLines lines={step.log} />
    </details>
  );
}
