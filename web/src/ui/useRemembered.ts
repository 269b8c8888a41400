// A value that the browser remembers. Storage may be forbidden or full: then it lasts until reload.

import { useCallback, useState } from "react";

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function useRemembered<T extends string>(
  key: string,
  initial: T,
  isAllowed: (text: string) => text is T,
): readonly [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = read(key);
    return stored !== null && isAllowed(stored) ? stored : initial;
  });
  const remember = useCallback(
    (next: T) => {
      setValue(next);
      try {
        localStorage.setItem(key, next);
      } catch {
        // Not remembered; nothing else depends on it.
      }
    },
    [key],
  );
  return [value, remember];
}

export function anyText(text: string): text is string {
  return typeof text === "string";
}
