// When one player starts, all others pause: two recordings at once help nobody.

import { useEffect } from "react";

export function usePlayOneAtATime(): void {
  useEffect(() => {
    // "play" does not bubble, but it can be captured.
    const onPlay = (event: Event) => {
      for (const audio of document.querySelectorAll("audio")) {
        if (audio !== event.target) audio.pause();
      }
    };
    document.addEventListener("play", onPlay, true);
    return () => document.removeEventListener("play", onPlay, true);
  }, []);
}
