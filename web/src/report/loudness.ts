// Loudness over time as a drawing: two lines and a target in one box, without the DOM.

import type { LoudnessCurve } from "@/api/loudness";
import { two } from "./curve";

export const LANE_WIDTH = 100;
export const LANE_HEIGHT = 48;

/** Stretches of time that can be told apart. */
const STRETCHES_MAX = 240;

/** What is quieter by more than this than the loudest lies at the bottom. */
const RANGE_LU = 40;

/** Room for the line's own width. */
const MARGIN = 1;

export type Lane = {
  /** Paths; null where there is nothing of it. They break where it is too quiet to be told. */
  before: string | null;
  after: string | null;
  /** How far down the target is. */
  target: number | null;
  lowest_lufs: number;
  highest_lufs: number;
  length_ms: number;
};

type Points = {
  /** In the middle of each stretch. */
  at_ms: number[];
  lufs: number[];
};

/** Null where there is nothing to draw. */
export function lane(before: LoudnessCurve | null, after: LoudnessCurve | null, target_lufs: number | null): Lane | null {
  const lines = [before, after].map((curve) => (curve === null ? null : points(curve)));
  const heard = lines.flatMap((line) => line?.lufs ?? []).filter((lufs) => !Number.isNaN(lufs));
  if (heard.length === 0) return null;
  const marked = target_lufs === null ? heard : [...heard, target_lufs];
  const highest = Math.ceil(Math.max(...marked));
  const lowest = Math.max(highest - RANGE_LU, Math.min(Math.floor(Math.min(...marked)), highest - 1));
  const length_ms = Math.max(lasting(before), lasting(after));

  const x = (ms: number) => (ms / length_ms) * LANE_WIDTH;
  const y = (lufs: number) => {
    const down = Math.min(1, (highest - lufs) / (highest - lowest));
    return MARGIN + down * (LANE_HEIGHT - 2 * MARGIN);
  };
  const [pathBefore = null, pathAfter = null] = lines.map((line) => (line === null ? null : path(line, x, y)));
  return {
    before: pathBefore,
    after: pathAfter,
    target: target_lufs === null ? null : y(target_lufs),
    lowest_lufs: lowest,
    highest_lufs: highest,
    length_ms,
  };
}

function lasting(curve: LoudnessCurve | null): number {
  return curve === null ? 0 : curve.lufs.length * curve.interval_ms;
}

/** Of each stretch the mean of its energy, which is what its loudness would be measured as. */
function points({ interval_ms, lufs }: LoudnessCurve): Points {
  const stretches = Math.min(STRETCHES_MAX, lufs.length);
  const reduced: Points = { at_ms: [], lufs: [] };
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = Math.floor((stretch * lufs.length) / stretches);
    const to = Math.floor(((stretch + 1) * lufs.length) / stretches);
    let energy = 0;
    for (const value of lufs.subarray(from, to)) {
      if (!Number.isNaN(value)) energy += 10 ** (value / 10);
    }
    reduced.at_ms.push(((from + to) / 2) * interval_ms);
    reduced.lufs.push(energy > 0 ? 10 * Math.log10(energy / (to - from)) : Number.NaN);
  }
  return reduced;
}

function path(line: Points, x: (ms: number) => number, y: (lufs: number) => number): string | null {
  let drawn = "";
  let down = false;
  for (const [index, lufs] of line.lufs.entries()) {
    if (Number.isNaN(lufs)) {
      down = false;
      continue;
    }
    const point = `${two(x(line.at_ms[index] ?? 0))} ${two(y(lufs))}`;
    // A line of no length, so that a point alone is seen as well.
    drawn += down ? `L${point}` : `M${point}h0`;
    down = true;
  }
  return drawn === "" ? null : drawn;
}
