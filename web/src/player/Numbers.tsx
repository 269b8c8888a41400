// Before and after, in numbers.

import { length, level } from "@/ui/words";
import type { ReportState } from "./useReport";
import styles from "./player.module.css";

export function Numbers({ report: state }: { report: ReportState }) {
  if (state.phase === "loading") return <p className="muted">Reading what was measured…</p>;
  if (state.phase === "failed") {
    return <p className="muted">What was measured cannot be shown just now: {state.trouble.detail}</p>;
  }
  const { source, input, output } = state.report;
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
        <tr>
          <th scope="row">Loudness</th>
          <td>{level(input.integrated_lufs, "LUFS")}</td>
          <td>{level(output.integrated_lufs, "LUFS")}</td>
        </tr>
        <tr>
          <th scope="row">True peak</th>
          <td>{level(input.true_peak_dbtp, "dBTP")}</td>
          <td>{level(output.true_peak_dbtp, "dBTP")}</td>
        </tr>
        <tr>
          <th scope="row">Length</th>
          <td>{length(input.duration_ms)}</td>
          <td>{length(output.duration_ms)}</td>
        </tr>
      </tbody>
    </table>
  );
}
