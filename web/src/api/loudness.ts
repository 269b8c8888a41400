// How loud a recording is from moment to moment, as the report carries it: one byte for each interval,
// base64.

import { described, number, refuse, text } from "./decode";

export type LoudnessCurve = {
  interval_ms: number;
  /** NaN where it is lower than what the curve can tell. */
  lufs: Float32Array;
};

export function parseLoudnessCurve(value: unknown, where: string): LoudnessCurve {
  const curve = described("LoudnessCurve", value, where);
  const interval_ms = number(curve.interval_ms, `${where}.interval_ms`);
  if (interval_ms <= 0) refuse(`${where}.interval_ms`, interval_ms, "above 0");
  const lowest = number(curve.lowest_lufs, `${where}.lowest_lufs`);
  const step = number(curve.step_lu, `${where}.step_lu`);
  const bytes = decoded(text(curve.values, `${where}.values`), `${where}.values`);
  const lufs = Float32Array.from(bytes, (letter) => {
    const byte = letter.charCodeAt(0);
    return byte === 0 ? Number.NaN : lowest + (byte - 1) * step;
  });
  return { interval_ms, lufs };
}

/** One character of the result is one byte. */
function decoded(base64: string, where: string): string {
  try {
    return atob(base64);
  } catch {
    return refuse(where, base64, "base64");
  }
}
