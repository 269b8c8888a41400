// Before and after, in numbers.

import { numberRows } from "./rows";
import type { ReportState } from "./useReport";
import styles from "./player.module.css";

export function Numbers({ report: state }: { report: ReportState }) {
  if (state.phase === "loading") return <p className="muted">Reading what was measured…</p>;
  if (state.phase === "failed") {
    return <p className="muted">What was measured cannot be shown just now: {state.trouble.detail}</p>;
  }
  const { source } = state.report;
  return (
    <table className={styles.numbers}>
      <caption className="hidden">Measured before and after</caption>
      <thead>
        <tr>
          <th scope="col">{source}</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {numberRows(state.report).map(({ name, before, after }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{before}</td>
            <td>{after}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
