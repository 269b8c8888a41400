// Files dropped anywhere in the window, whichever view is shown.

import { useEffect, useRef, useState } from "react";

/** True while files are held over the window. Who comes first gets them, and nobody else. */
export function useFileDrop(onFiles: (files: readonly File[]) => void, { first = false } = {}): boolean {
  const [over, setOver] = useState(false);
  const deliver = useRef(onFiles);
  useEffect(() => {
    deliver.current = onFiles;
  });
  useEffect(() => {
    const stop = new AbortController();
    const listening = { signal: stop.signal, capture: first };
    const onOver = (event: DragEvent) => {
      if (event.defaultPrevented || event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      setOver(false);
      if (event.defaultPrevented) return;
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      deliver.current(files);
    };
    window.addEventListener("dragover", onOver, listening);
    window.addEventListener("dragleave", onLeave, listening);
    window.addEventListener("drop", onDrop, listening);
    return () => stop.abort();
  }, [first]);
  return over;
}
