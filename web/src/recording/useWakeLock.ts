// Keeps the screen on while something must not stop. A browser takes the lock away with the page's visibility: it is
// asked for again when that is back.

import { useEffect } from "react";

export function useWakeLock(active: boolean): void {
  useEffect(() => {
    const wakeLock = (navigator as { wakeLock?: WakeLock }).wakeLock;
    if (!active || wakeLock === undefined) return;
    let wanted = true;
    let held: WakeLockSentinel | null = null;
    const ask = () => {
      if (document.visibilityState !== "visible") return;
      wakeLock.request("screen").then(
        (lock) => {
          if (wanted) held = lock;
          else void lock.release();
        },
        () => undefined, // a battery saver may refuse; the recording goes on all the same
      );
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      wanted = false;
      document.removeEventListener("visibilitychange", ask);
      void held?.release();
    };
  }, [active]);
}
