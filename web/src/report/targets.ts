// What the correction was to reach, in words.

import type { Target } from "@/api/report";
import { sentence } from "@/api/problem";
import { withoutCode } from "@/findings/voice";
import { level } from "@/ui/words";

/** "Loudness: −16.1 LUFS, asked for −16.0 LUFS" */
export function targetWords({ what, unit, target, reached }: Target): string {
  const wanted = level(target, unit);
  const got = level(reached, unit);
  return what === "loudness" ? `Loudness: ${got}, asked for ${wanted}` : `True peak: ${got}, at most ${wanted}`;
}

/** A sentence; empty where nobody said why. */
export function whyNotWords({ met, why_not }: Target): string {
  return met || why_not === null ? "" : sentence(withoutCode(why_not));
}
