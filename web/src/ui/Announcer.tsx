// Says to screen readers what others see happen. One live region for the whole page: several speak
// over each other.

import { type ReactNode, createContext, useCallback, useContext, useState } from "react";

const Announce = createContext<(words: string) => void>(() => undefined);

export function useAnnounce(): (words: string) => void {
  return useContext(Announce);
}

export function Announcer({ children }: { children: ReactNode }) {
  const [spoken, setSpoken] = useState({ words: "", count: 0 });
  const announce = useCallback(
    (words: string) => setSpoken((before) => ({ words, count: before.count + 1 })),
    [],
  );
  return (
    <Announce value={announce}>
      {children}
      <p className="hidden" role="status" aria-live="polite">
        <span key={spoken.count}>{spoken.words}</span>
      </p>
    </Announce>
  );
}
