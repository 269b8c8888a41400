// Gives a media element a blob to play, by an address that lives exactly as long as both do. What was recorded in parts
// does not say how long it is: the element finds out by going to its end once.

import { type RefCallback, useCallback } from "react";

/** Later than the end of anything. */
const BEHIND_THE_END_S = 1e7;

export function useBlobSource(blob: Blob): RefCallback<HTMLMediaElement> {
  return useCallback(
    (element: HTMLMediaElement) => {
      const url = URL.createObjectURL(blob);
      const stop = new AbortController();
      const { signal } = stop;
      const onMetadata = () => {
        if (element.duration !== Infinity) return;
        element.addEventListener("durationchange", () => (element.currentTime = 0), { signal, once: true });
        element.currentTime = BEHIND_THE_END_S;
      };
      element.addEventListener("loadedmetadata", onMetadata, { signal });
      element.src = url;
      return () => {
        stop.abort();
        element.removeAttribute("src");
        URL.revokeObjectURL(url);
      };
    },
    [blob],
  );
}
