// What is marked on the time line, as a list that jumps there.

import { useMemo } from "react";
import type { Report } from "@/api/report";
import { number, t } from "@/i18n";
import { clock } from "@/ui/words";
import type { Transport } from "../sound/transport";
import { type Mark, marksOf } from "./marks";
import type { StageModel } from "./stageModel";
import styles from "../workspace.module.css";

type Props = { report: Report; model: StageModel; transport: Transport };

export function MarkList({ report, model, transport }: Props) {
  const marks = useMemo(() => marksOf(report), [report]);
  if (marks.length === 0) return null;
  const jump = (mark: Mark) => {
    transport.seek(mark.at_s);
    model.show(mark.at_s);
  };
  return (
    <details className={styles.fold}>
      <summary>{t("marks", { count: marks.length })}</summary>
      <ol className={styles.marks}>
        {marks.map((mark, index) => (
          <li key={`${mark.at_s} ${index}`}>
            <button type="button" className="quiet" onClick={() => jump(mark)}>
              <span className={styles.when}>{clock(mark.at_s * 1000)}</span>
              <bdi>{mark.kind === "cut" ? t("marks.cut", { s: number(mark.removed_s, 1) }) : mark.label}</bdi>
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}
