// The kind of file to get back.

import { useId } from "react";
import { ASKED_FORMATS, type AskedFormat } from "@/api/types";
import { t } from "@/i18n";
import { formatWords, isFormat } from "./preset";
import styles from "./send.module.css";

export function FormatChoice({ value, onChange }: { value: AskedFormat; onChange: (format: AskedFormat) => void }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{t("format.label")}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          if (isFormat(event.target.value)) onChange(event.target.value);
        }}
      >
        {ASKED_FORMATS.map((format) => (
          <option key={format} value={format}>
            {formatWords(format)}
          </option>
        ))}
      </select>
    </div>
  );
}
