// A plugin's parameters, as whoever writes a chain by hand needs them.

import type { Param } from "@/api/plugins";
import { defaultWords, range } from "./facts";
import styles from "./plugins.module.css";

export function ParamsTable({ params }: { params: readonly Param[] }) {
  if (params.length === 0) return <p className="muted">It has none.</p>;
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">Parameter</th>
          <th scope="col">Range</th>
          <th scope="col">Default</th>
        </tr>
      </thead>
      <tbody>
        {params.map((param) => (
          <tr key={param.id}>
            <th scope="row">
              <bdi>{param.label}</bdi> <code>{param.id}</code>
              {param.help !== "" && <bdi className={styles.help}>{param.help}</bdi>}
            </th>
            <td>{range(param)}</td>
            <td>{defaultWords(param)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
