// The admin key, for as long as the tab is open. In sessionStorage and not only in memory, so that a
// reload does not ask for it again; never in localStorage, where it would outlive the visit and be
// read by every tab.

import { useCallback, useState } from "react";

const KEY = "retake.admin-key";

function read(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function useAdminKey(): { key: string; keep: (key: string) => void; drop: () => void } {
  const [key, setKey] = useState(read);
  const keep = useCallback((next: string) => {
    setKey(next);
    try {
      sessionStorage.setItem(KEY, next);
    } catch {
      // Forbidden: it lasts until reload.
    }
  }, []);
  const drop = useCallback(() => {
    setKey("");
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // It was not stored then, either.
    }
  }, []);
  return { key, keep, drop };
}
