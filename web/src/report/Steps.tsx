// What each step did, in the chain's order.

import type { Report } from "@/api/report";
import type { Job } from "@/api/types";
import { t } from "@/i18n";
import { StepView } from "./StepView";
import styles from "./report.module.css";

export function Steps({ job, report }: { job: Job; report: Report }) {
  if (report.steps.length === 0) return null;
  const skipped = report.steps.filter((step) => step.skipped).length;
  const count = t("steps.count", { count: report.steps.length });
  const inWords = skipped === 0 ? count : `${count}, ${t("steps.skipped", { count: skipped })}`;
  return (
    <details className={styles.steps}>
      <summary>{t("steps.title", { steps: inWords })}</summary>
      <ol className={styles.list} aria-label={t("chain.steps")}>
        {report.steps.map((step, index) => (
          <StepView key={`${step.step} ${index}`} job={job} step={step} index={index} rate={report.input.sample_rate} />
        ))}
      </ol>
    </details>
  );
}
