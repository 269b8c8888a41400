// A plugin's manifest as a list of facts.

import type { Plugin } from "@/api/plugins";
import { facts } from "./facts";
import styles from "./plugins.module.css";

export function ManifestFacts({ plugin }: { plugin: Plugin }) {
  return (
    <dl className={styles.facts}>
      {facts(plugin).map(([term, description]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd dir="auto">{description}</dd>
        </div>
      ))}
    </dl>
  );
}
