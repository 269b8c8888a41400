// A job's state in a word, with its colour.

import type { Job } from "@/api/types";
import { statusWords } from "./words";
import styles from "./jobs.module.css";

export function StatusChip({ job }: { job: Job }) {
  return <span className={`${styles.chip} ${styles[job.status]}`}>{statusWords(job)}</span>;
}
