// The presets, asked for again when the server comes back, for as long as there are none.

import { useEffect, useState } from "react";
import { listPresets } from "@/api/endpoints";
import type { Preset } from "@/api/types";

export function usePresets(live: boolean): readonly Preset[] {
  const [presets, setPresets] = useState<readonly Preset[]>([]);
  const missing = presets.length === 0;
  useEffect(() => {
    if (!missing) return;
    const stop = new AbortController();
    listPresets(stop.signal).then(setPresets, () => undefined);
    return () => stop.abort();
  }, [missing, live]);
  return presets;
}
