// Gives a media element a blob to play, by an address that lives exactly as long as both do.

import { type RefCallback, useCallback } from "react";

export function useBlobSource(blob: Blob): RefCallback<HTMLMediaElement> {
  return useCallback(
    (element: HTMLMediaElement) => {
      const url = URL.createObjectURL(blob);
      element.src = url;
      return () => {
        element.removeAttribute("src");
        URL.revokeObjectURL(url);
      };
    },
    [blob],
  );
}
