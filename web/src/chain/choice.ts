// What can be chosen from, under one kind of name. Presets' names have no colon.

import type { Preset } from "@/api/types";
import { presetAmong } from "@/send/preset";
import type { SavedChain } from "./saved";

export const OWN = "own:";
export const SAVED = "saved:";

export function savedName(value: string): string | null {
  return value.startsWith(SAVED) ? value.slice(SAVED.length) : null;
}

/** The wanted one where it is there, else a preset. */
export function choiceAmong(presets: readonly Preset[], saved: readonly SavedChain[], wanted: string): string {
  const name = savedName(wanted);
  if (wanted === OWN) return OWN;
  if (name !== null && saved.some((entry) => entry.name === name)) return wanted;
  return presetAmong(presets, wanted);
}
