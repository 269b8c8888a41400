// A recording that exists already: chosen, or dropped anywhere on the page.

import { useEffect, useId, useRef, useState } from "react";
import styles from "./recording.module.css";

const ACCEPT = "audio/*,video/webm,video/mp4,.wav,.flac,.mp3,.m4a,.mp4,.ogg,.opus,.webm,.aif,.aiff,.caf";

type Props = { onFile: (file: File) => void; trouble: string | null };

export function FileChoice({ onFile, trouble }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const over = useFileDrop(onFile);
  return (
    <div className={over ? `${styles.file} ${styles.fileOver}` : styles.file}>
      <p>
        <label htmlFor={id} className={styles.fileLabel}>
          Choose a file
        </label>
        <input
          ref={input}
          id={id}
          className={styles.fileInput}
          type="file"
          accept={ACCEPT}
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            const file = event.target.files?.[0];
            // Choosing the same file once more is a change, too.
            event.target.value = "";
            if (file !== undefined) onFile(file);
          }}
        />
      </p>
      <p id={`${id}-hint`} className="muted">
        or drop it here: WAV, FLAC, MP3, M4A, Ogg, WebM…
      </p>
      {trouble !== null && (
        <p className="error" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}

/** True while a file is held over the page. A drop that misses must not make the browser leave. */
function useFileDrop(onFile: (file: File) => void): boolean {
  const [over, setOver] = useState(false);
  const deliver = useRef(onFile);
  useEffect(() => {
    deliver.current = onFile;
  });
  useEffect(() => {
    const onOver = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      event.preventDefault();
      deliver.current(file);
    };
    window.addEventListener("dragover", onOver);
    window.addEventListener("dragleave", onLeave);
    window.addEventListener("drop", onDrop);
    return () => {
      window.removeEventListener("dragover", onOver);
      window.removeEventListener("dragleave", onLeave);
      window.removeEventListener("drop", onDrop);
    };
  }, []);
  return over;
}
