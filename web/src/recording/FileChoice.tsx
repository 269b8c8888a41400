// A recording that exists already: chosen, or dropped anywhere on the page.

import { useId, useRef } from "react";
import { useFileDrop } from "@/ui/useFileDrop";
import { ACCEPT, ACCEPTED } from "./accepted";
import styles from "./recording.module.css";

type Props = { onFile: (file: File) => void; trouble: string | null };

export function FileChoice({ onFile, trouble }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const area = useRef<HTMLDivElement>(null);
  const over = useFileDrop(area, onFile);
  return (
    <div ref={area} className={over ? `${styles.file} ${styles.fileOver}` : styles.file}>
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
        or drop it here: {ACCEPTED}
      </p>
      {trouble !== null && (
        <p className="error" role="alert">
          {trouble}
        </p>
      )}
    </div>
  );
}
