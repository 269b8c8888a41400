// What each step did, in the chain's order.

import type { Report, StepReport } from "@/api/report";
import type { Job } from "@/api/types";
import { StepView } from "./StepView";
import styles from "./report.module.css";

export function Steps({ job, report }: { job: Job; report: Report }) {
  if (report.steps.length === 0) return null;
  return (
    <details className={styles.steps}>
      <summary>What each step did ({inWords(report.steps)})</summary>
      <ol className={styles.list} aria-label="Steps">
        {report.steps.map((step, index) => (
          <StepView key={`${step.step} ${index}`} job={job} step={step} index={index} rate={report.input.sample_rate} />
        ))}
      </ol>
    </details>
  );
}

function inWords(steps: readonly StepReport[]): string {
  const skipped = steps.filter((step) => step.skipped).length;
  const all = steps.length === 1 ? "one step" : `${steps.length} steps`;
  return skipped === 0 ? all : `${all}, ${skipped} left out`;
}
