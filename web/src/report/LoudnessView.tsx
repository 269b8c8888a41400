// How loud it is from moment to moment, before and after, with the target.

import { useMemo } from "react";
import type { Report } from "@/api/report";
import { clock, level } from "@/ui/words";
import { LANE_HEIGHT, LANE_WIDTH, lane } from "./loudness";
import styles from "./report.module.css";

export function LoudnessView({ report }: { report: Report }) {
  const target = report.targets.find(({ what }) => what === "loudness")?.target ?? null;
  const drawing = useMemo(
    () => lane(report.input.loudness_curve, report.output.loudness_curve, target),
    [report, target],
  );
  if (drawing === null) return null;
  const range = `from ${level(drawing.lowest_lufs, "LUFS")} to ${level(drawing.highest_lufs, "LUFS")}`;
  return (
    <figure className={styles.loudness}>
      <figcaption className={styles.legend}>
        <span>
          Loudness over time <span className="muted">{range}</span>
        </span>
        {drawing.before !== null && <Key line={styles.before}>before</Key>}
        {drawing.after !== null && <Key line={styles.after}>after</Key>}
        {target !== null && <Key line={styles.target}>target</Key>}
      </figcaption>
      <svg
        viewBox={`0 0 ${LANE_WIDTH} ${LANE_HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={spoken(report, drawing.length_ms, target)}
      >
        {drawing.target !== null && (
          <path className={styles.target} d={`M0 ${drawing.target}H${LANE_WIDTH}`} vectorEffect="non-scaling-stroke" />
        )}
        {drawing.before !== null && (
          <path className={styles.before} d={drawing.before} vectorEffect="non-scaling-stroke" />
        )}
        {drawing.after !== null && <path className={styles.after} d={drawing.after} vectorEffect="non-scaling-stroke" />}
      </svg>
      <p className={styles.times}>
        <span>0:00</span>
        <span>{clock(drawing.length_ms)}</span>
      </p>
    </figure>
  );
}

function Key({ line, children }: { line: string | undefined; children: string }) {
  return (
    <span className={styles.key}>
      <svg viewBox="0 0 20 4" aria-hidden="true">
        <path className={line} d="M0 2H20" vectorEffect="non-scaling-stroke" />
      </svg>
      {children}
    </span>
  );
}

/** What the drawing shows, for those who do not see it. */
function spoken({ input, output }: Report, length_ms: number, target: number | null): string {
  const loudest = [
    ["before", input.momentary_max_lufs] as const,
    ["after", output.momentary_max_lufs] as const,
  ].flatMap(([when, lufs]) => (lufs === null ? [] : [`${when} up to ${level(lufs, "LUFS")}`]));
  const wanted = target === null ? [] : [`target ${level(target, "LUFS")}`];
  return [`Loudness over ${clock(length_ms)}`, ...loudest, ...wanted].join(", ");
}
