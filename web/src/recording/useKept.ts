// Recordings that are in the vault from before: a crash, a closed tab, a take that was never sent.

import { useCallback, useEffect, useState } from "react";
import { type KeptTake, vault } from "./vault";
import type { Take } from "./take";

export type Kept = {
  takes: readonly KeptTake[];
  /** Takes it out of the list, to be heard and sent. */
  open: (take: KeptTake) => Promise<Take | null>;
  remove: (take: KeptTake) => void;
};

export function useKept(): Kept {
  const [takes, setTakes] = useState<readonly KeptTake[]>([]);
  useEffect(() => {
    let wanted = true;
    const look = () => {
      if (document.visibilityState !== "visible") return;
      vault?.list().then(
        (found) => {
          if (wanted) setTakes(found);
        },
        () => undefined, // without a database nothing was kept
      );
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      wanted = false;
      document.removeEventListener("visibilitychange", look);
    };
  }, []);

  const without = useCallback((id: string) => setTakes((all) => all.filter((take) => take.id !== id)), []);

  const open = useCallback(
    async (take: KeptTake): Promise<Take | null> => {
      if (vault === null) return null;
      vault.hold(take.id);
      const blob = await vault.blob(take);
      without(take.id);
      const { id: key, name, duration_ms } = take;
      return { key, blob, name, duration_ms, source: "microphone", cutShort: false, kept: true };
    },
    [without],
  );

  const remove = useCallback(
    (take: KeptTake) => {
      without(take.id);
      void vault?.remove(take.id);
    },
    [without],
  );

  return { takes, open, remove };
}
