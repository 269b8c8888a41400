// Files dropped anywhere on the page, for the part of it that is shown and takes them.

import { useEffect, useRef, useState } from "react";

/**
 * True while a file is held over the page. A drop that misses must not make the browser leave, also
 * while `area` is hidden; the file is then for somebody else, or for nobody.
 */
export function useFileDrop(area: { readonly current: HTMLElement | null }, onFile: (file: File) => void): boolean {
  const [over, setOver] = useState(false);
  const deliver = useRef(onFile);
  useEffect(() => {
    deliver.current = onFile;
  });
  useEffect(() => {
    const mine = () => area.current?.checkVisibility() === true;
    const onOver = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(mine());
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      event.preventDefault();
      if (mine()) deliver.current(file);
    };
    window.addEventListener("dragover", onOver);
    window.addEventListener("dragleave", onLeave);
    window.addEventListener("drop", onDrop);
    return () => {
      window.removeEventListener("dragover", onOver);
      window.removeEventListener("dragleave", onLeave);
      window.removeEventListener("drop", onDrop);
    };
  }, [area]);
  return over;
}
