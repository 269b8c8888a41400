// A curve as a drawing: an SVG path in a box of 100 by 24, without the DOM.

export const WIDTH = 100;
export const HEIGHT = 24;

/** More points than this cannot be told apart. */
const POINTS_MAX = 240;

/** Room for the line's own width. */
const MARGIN = 1;

export type Drawing = { path: string; min: number; max: number };

/** Null where there is nothing to draw. */
export function draw(points: readonly number[]): Drawing | null {
  if (points.length < 2) return null;
  const shown = reduced(points);
  const min = Math.min(...shown);
  const max = Math.max(...shown);
  // A curve that never changes runs through the middle.
  const span = max - min;
  const y = (value: number) => (span > 0 ? MARGIN + (1 - (value - min) / span) * (HEIGHT - 2 * MARGIN) : HEIGHT / 2);
  const x = (index: number) => (index / (shown.length - 1)) * WIDTH;
  const path = shown.map((value, index) => `${index === 0 ? "M" : "L"}${two(x(index))} ${two(y(value))}`).join("");
  return { path, min, max };
}

/** Of each stretch its lowest and its highest point, in their order: no peak is lost. */
function reduced(points: readonly number[]): readonly number[] {
  if (points.length <= POINTS_MAX) return points;
  const stretches = POINTS_MAX / 2;
  const kept: number[] = [];
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    const from = Math.floor((stretch * points.length) / stretches);
    const to = Math.floor(((stretch + 1) * points.length) / stretches);
    let low = from;
    let high = from;
    for (let at = from; at < to; at += 1) {
      if ((points[at] ?? 0) < (points[low] ?? 0)) low = at;
      if ((points[at] ?? 0) > (points[high] ?? 0)) high = at;
    }
    for (const at of [Math.min(low, high), Math.max(low, high)]) kept.push(points[at] ?? 0);
  }
  return kept;
}

export function two(value: number): string {
  return String(Number(value.toFixed(2)));
}
