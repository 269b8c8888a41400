// What helps the author of a plugin: the very bytes that ran, and what they logged.

import type { PluginRef } from "@/api/pluginRef";
import type { Problem } from "@/api/problem";
import { t } from "@/i18n";
import styles from "./report.module.css";

export function RanBytes({ plugin }: { plugin: PluginRef }) {
  return (
    <p className="fine">
      {plugin.id} {plugin.version}, SHA-256 <code>{plugin.digest}</code>
    </p>
  );
}

export function LogLines({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return <p className="fine">{t("step.noLog")}</p>;
  return <pre className={styles.log}>{lines.join("\n")}</pre>;
}

/** Of a job that failed; nothing where no plugin was at work. */
export function FailureForAuthors({ problem }: { problem: Problem }) {
  if (problem.log.length === 0 && problem.plugins.length === 0) return null;
  return (
    <details className={styles.failure}>
      <summary>{t("step.authors")}</summary>
      {problem.plugins.map((plugin) => (
        <RanBytes key={plugin.digest} plugin={plugin} />
      ))}
      <LogLines lines={problem.log} />
    </details>
  );
}
