// How loud the microphone is just now, as something to draw and to say. No DOM here.

/** Below this the meter shows nothing: a quiet room is about here. */
export const FLOOR_DBFS = -60;

/** Samples this near full scale are taken as clipped: converters rarely reach 1.0 exactly. */
const CLIP = 0.99;

export type Level = { peak_dbfs: number; clipped: boolean };

export function levelOf(samples: Float32Array): Level {
  let peak = 0;
  for (const sample of samples) {
    const magnitude = Math.abs(sample);
    if (magnitude > peak) peak = magnitude;
  }
  return { peak_dbfs: peak > 0 ? 20 * Math.log10(peak) : -Infinity, clipped: peak >= CLIP };
}

/** 0 to 1 along the meter. */
export function meterFraction(dbfs: number): number {
  return Math.min(1, Math.max(0, 1 - dbfs / FLOOR_DBFS));
}

/** Rises at once and falls slowly, so that the eye can follow. */
export function fall(shown: number, now: number, elapsedMs: number): number {
  return Math.max(now, shown - (elapsedMs / 1000) * 0.6);
}

export type Advice = "too-loud" | "silent" | null;

/** What to tell the person: only what has lasted, so that the words do not flicker. */
export class LevelAdviser {
  #clippedMs = 0;
  #silentMs = 0;

  next(level: Level, elapsedMs: number): Advice {
    this.#clippedMs = level.clipped ? 3000 : Math.max(0, this.#clippedMs - elapsedMs);
    this.#silentMs = level.peak_dbfs < -55 ? this.#silentMs + elapsedMs : 0;
    if (this.#clippedMs > 0) return "too-loud";
    return this.#silentMs >= 3000 ? "silent" : null;
  }
}
