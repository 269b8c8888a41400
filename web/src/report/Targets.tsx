// Whether the correction is as loud as it was to be, and why where it is not.

import type { Target } from "@/api/report";
import { targetWords, whyNotWords } from "./targets";
import styles from "./report.module.css";

export function Targets({ targets }: { targets: readonly Target[] }) {
  if (targets.length === 0) return null;
  return (
    <ul className={styles.targets} aria-label="Targets">
      {targets.map((target) => (
        <li key={target.what} data-target={target.what} data-met={target.met}>
          <span className={target.met ? styles.tag : `${styles.tag} ${styles.missed}`}>{target.met ? "met" : "not met"}</span>{" "}
          {targetWords(target)}
          {whyNotWords(target) !== "" && <p className="muted">{whyNotWords(target)}</p>}
        </li>
      ))}
    </ul>
  );
}
