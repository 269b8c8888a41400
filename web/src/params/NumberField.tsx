// A number: a slider to find it by ear, a field to enter it exactly.

import { useState } from "react";
import type { FloatKind, IntKind, Param } from "@/api/plugins";
import { ResetButton } from "./ResetButton";
import { moved, positionOf, positions } from "./slider";
import { check, defaultOf, numberIn, shown } from "./values";
import styles from "./params.module.css";

type Props = {
  id: string;
  param: Param;
  kind: FloatKind | IntKind;
  /** As typed; null where the default holds. */
  entry: string | null;
  onEnter: (entry: string) => void;
  onReset: () => void;
  /** What was said against it when it was sent. */
  note: string | null;
};

export function NumberField({ id, param, kind, entry, onEnter, onReset, note }: Props) {
  // While a number is typed its beginning may well be out of range.
  const [typing, setTyping] = useState(false);
  const text = entry ?? String(defaultOf(param));
  const checked = check(param, text);
  const trouble = note ?? (!typing && "trouble" in checked ? checked.trouble : null);
  const value = numberIn(text) ?? kind.default;
  return (
    <div className={styles.param}>
      <div className={styles.paramHead}>
        <label htmlFor={id}>{param.label}</label>
        <ResetButton param={param} set={entry !== null} onReset={onReset} />
        <span className={styles.number}>
          <input
            id={id}
            type="text"
            // Keyboards for numbers have no minus on some phones.
            inputMode={kind.min < 0 ? "text" : "decimal"}
            autoComplete="off"
            value={text}
            aria-invalid={trouble !== null}
            aria-describedby={`${id}-unit ${id}-help ${id}-trouble`}
            onChange={(event) => {
              setTyping(true);
              onEnter(event.target.value);
            }}
            onBlur={() => setTyping(false)}
          />
          <span id={`${id}-unit`} className={styles.unit}>
            {param.unit}
          </span>
        </span>
      </div>
      <input
        type="range"
        aria-label={`${param.label}, slider`}
        aria-valuetext={shown(value, param.unit)}
        min={0}
        max={positions(kind)}
        step={1}
        value={positionOf(kind, value)}
        onChange={(event) => onEnter(String(moved(kind, value, Number(event.target.value))))}
      />
      <FieldWords id={id} help={param.help} trouble={trouble} />
    </div>
  );
}

/** Below a field: what is wrong with it, or what it is for. */
export function FieldWords({ id, help, trouble }: { id: string; help: string; trouble: string | null }) {
  return (
    <>
      <p id={`${id}-trouble`} className={`error ${styles.words}`} aria-live="polite">
        {trouble ?? ""}
      </p>
      {help !== "" && (
        <p id={`${id}-help`} className={`muted ${styles.words}`}>
          {help}
        </p>
      )}
    </>
  );
}
