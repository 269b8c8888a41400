// A curve a plugin measured over the recording, small.

import type { Curve } from "@/api/report";
import { clock } from "@/ui/words";
import { HEIGHT, WIDTH, draw } from "./curve";
import { valueWords } from "./words";
import styles from "./report.module.css";

type Props = {
  curve: Curve;
  name: string;
  /** The stream's, in Hz. */
  rate: number;
};

export function CurveView({ curve, name, rate }: Props) {
  const drawing = draw(curve.points);
  if (drawing === null) return null;
  const from = valueWords(drawing.min, curve.unit);
  const to = valueWords(drawing.max, curve.unit);
  const length = rate > 0 ? clock((curve.points.length * curve.frames_per_point * 1000) / rate) : "";
  return (
    <figure className={styles.curve}>
      <figcaption>
        {name} <span className="muted">{from === to ? from : `from ${from} to ${to}`}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${name} over ${length}`}>
        <path d={drawing.path} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}
