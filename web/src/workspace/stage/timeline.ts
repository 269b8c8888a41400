// Time and pixels of a time line, without the DOM: which stretch is shown, how it is zoomed and moved, where its ruler
// has marks. All times are seconds of the correction.

/** The stretch that is shown. */
export type Stretch = { from_s: number; to_s: number };

/** Closer than this nothing more can be seen: a point of the finest peaks stands for 21 ms. */
export const SPAN_MIN_S = 1;

export function whole(duration_s: number): Stretch {
  return { from_s: 0, to_s: Math.max(duration_s, 0.001) };
}

export function span(stretch: Stretch): number {
  return stretch.to_s - stretch.from_s;
}

/** As long as it was, where that is allowed, and within the recording. */
export function clamped(stretch: Stretch, duration_s: number): Stretch {
  const all = whole(duration_s);
  const length = Math.min(span(all), Math.max(span(stretch), Math.min(SPAN_MIN_S, span(all))));
  const from_s = Math.min(Math.max(0, stretch.from_s), span(all) - length);
  return { from_s, to_s: from_s + length };
}

/** A factor below 1 shows less and larger; what is at `anchor_s` stays where it is. */
export function zoomed(stretch: Stretch, duration_s: number, factor: number, anchor_s: number): Stretch {
  const length = Math.min(duration_s, Math.max(SPAN_MIN_S, span(stretch) * factor));
  const place = (anchor_s - stretch.from_s) / span(stretch);
  const from_s = anchor_s - place * length;
  return clamped({ from_s, to_s: from_s + length }, duration_s);
}

export function moved(stretch: Stretch, duration_s: number, by_s: number): Stretch {
  return clamped({ from_s: stretch.from_s + by_s, to_s: stretch.to_s + by_s }, duration_s);
}

/** Turned like a page when the sound has left it; the same object while it has not. */
export function following(stretch: Stretch, duration_s: number, at_s: number): Stretch {
  if (at_s >= stretch.from_s && at_s <= stretch.to_s) return stretch;
  return clamped({ from_s: at_s, to_s: at_s + span(stretch) }, duration_s);
}

/** With this moment in sight, in the middle if it was not. */
export function showing(stretch: Stretch, duration_s: number, at_s: number): Stretch {
  if (at_s >= stretch.from_s && at_s <= stretch.to_s) return stretch;
  return clamped({ from_s: at_s - span(stretch) / 2, to_s: at_s + span(stretch) / 2 }, duration_s);
}

export function xOf(stretch: Stretch, width: number, at_s: number): number {
  return ((at_s - stretch.from_s) / span(stretch)) * width;
}

export function timeAt(stretch: Stretch, width: number, x: number): number {
  return stretch.from_s + (x / Math.max(1, width)) * span(stretch);
}

export type Tick = { at_s: number; label: string };

const STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/** Marks at round times, as many as have room. */
export function ticks(stretch: Stretch, width: number, room_px = 90): Tick[] {
  const fewest = (span(stretch) * room_px) / Math.max(1, width);
  const step = STEPS_S.find((candidate) => candidate >= fewest) ?? Math.ceil(fewest / 3600) * 3600;
  const first = Math.ceil(stretch.from_s / step - 1e-9);
  const last = Math.floor(stretch.to_s / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
    const at_s = (first + at) * step;
    return { at_s, label: label(at_s, step) };
  });
}

function label(at_s: number, step_s: number): string {
  const tenths = Math.round(at_s * 10);
  const seconds = Math.floor(tenths / 10);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const whole = hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  return step_s < 1 ? `${whole}.${tenths % 10}` : whole;
}
