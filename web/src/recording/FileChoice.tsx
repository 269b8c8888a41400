// Recordings that exist already: chosen, or dropped anywhere in the window.

import { type ReactNode, useId } from "react";
import { t } from "@/i18n";
import { ACCEPT, ACCEPTED } from "./accepted";
import styles from "./recording.module.css";

type Props = {
  onFiles: (files: readonly File[]) => void;
  refused: readonly string[];
  more: boolean;
  children?: ReactNode;
};

export function FileChoice({ onFiles, refused, more, children }: Props) {
  const id = useId();
  return (
    <div className={styles.file}>
      <p>
        <label htmlFor={id} className={styles.fileLabel}>
          {more ? t("file.more") : t("file.choose")}
        </label>
        <input
          id={id}
          className={styles.fileInput}
          type="file"
          multiple
          accept={ACCEPT}
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            // Choosing the same file once more is a change, too.
            event.target.value = "";
            if (files.length > 0) onFiles(files);
          }}
        />
      </p>
      <p id={`${id}-hint`} className={more ? "hidden" : "muted"} title={ACCEPTED}>
        {t("file.drop")}
      </p>
      {children}
      {refused.map((why) => (
        <p key={why} className="error" role="alert">
          {why}
        </p>
      ))}
    </div>
  );
}
