// Before and after, in numbers.

import type { Report } from "@/api/report";
import { t } from "@/i18n";
import { numberRows } from "./rows";
import styles from "./player.module.css";

export function Numbers({ report }: { report: Report }) {
  const { source } = report;
  return (
    <table className={styles.numbers}>
      <caption className="hidden">{t("number.caption")}</caption>
      <thead>
        <tr>
          <th scope="col">{source}</th>
          <th scope="col">{t("number.before")}</th>
          <th scope="col">{t("number.after")}</th>
        </tr>
      </thead>
      <tbody>
        {numberRows(report).map(({ name, before, after }) => (
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
