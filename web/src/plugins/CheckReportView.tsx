// What the conformance kit found, failed checks first: those are what its author reads it for.

import type { Check, CheckReport, Outcome } from "@/api/check";
import { inReadingOrder, outcomeCounts } from "./checks";
import { shown } from "@/params/values";
import { size } from "@/ui/words";
import styles from "./plugins.module.css";

const MARKS: Readonly<Record<Outcome, string>> = { failed: "✕", warned: "!", passed: "✓", skipped: "–" };
const WORDS: Readonly<Record<Outcome, string>> = {
  failed: "Failed",
  warned: "Warning",
  passed: "Passed",
  skipped: "Not checked",
};

export function CheckReportView({ report }: { report: CheckReport }) {
  const { telling, quiet } = inReadingOrder(report.checks);
  return (
    <div className={styles.report} data-passed={report.passed}>
      <p>
        <strong>{report.passed ? "It passed." : "It did not pass."}</strong> {outcomeCounts(report.checks)}
      </p>
      {report.cost !== null && (
        <p className="muted">
          It ran {shown(Number(report.cost.realtime_factor.toPrecision(3)))} times as fast as the recording plays, in{" "}
          {size(report.cost.memory_bytes)} of memory.
        </p>
      )}
      <Checks checks={telling} />
      {quiet.length > 0 && (
        <details open={telling.length === 0}>
          <summary>What passed, and what was not checked ({quiet.length})</summary>
          <Checks checks={quiet} />
        </details>
      )}
    </div>
  );
}

function Checks({ checks }: { checks: readonly Check[] }) {
  if (checks.length === 0) return null;
  return (
    <ul className={styles.checks}>
      {checks.map((check) => (
        <li key={check.id} className={styles[check.outcome]} data-check={check.id} data-outcome={check.outcome}>
          <span className={styles.mark} aria-hidden="true">
            {MARKS[check.outcome]}
          </span>
          <div>
            <p>
              <span className="hidden">{WORDS[check.outcome]}: </span>
              <strong>{check.title}</strong> <code>{check.id}</code>
            </p>
            {check.detail !== "" && <p className={styles.detail}>{check.detail}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}
