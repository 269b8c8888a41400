// A chain that somebody wants to try: on their last recording, or, with none there, on the next.

import { useEffect, useRef } from "react";
import type { Chain } from "@/api/chain";

export type Trial = { chain: Chain; recordingId: string | null };

/** Each is begun once, also where what shows it comes and goes. */
const begun = new WeakSet<Trial>();

export function useTrial(trial: Trial | null, begin: (chain: Chain) => void): void {
  const latest = useRef(begin);
  useEffect(() => {
    latest.current = begin;
  });
  useEffect(() => {
    if (trial === null || begun.has(trial)) return;
    begun.add(trial);
    latest.current(trial.chain);
  }, [trial]);
}
