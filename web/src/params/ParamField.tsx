// One parameter, as its kind wants it.

import type { Param } from "@/api/plugins";
import { FieldWords, NumberField } from "./NumberField";
import { ResetButton } from "./ResetButton";
import { type Entry, check, defaultOf } from "./values";
import styles from "./params.module.css";

type Props = {
  id: string;
  param: Param;
  /** Null where the default holds. */
  entry: Entry | null;
  onEnter: (entry: Entry) => void;
  onReset: () => void;
  note: string | null;
};

export function ParamField({ id, param, entry, onEnter, onReset, note }: Props) {
  const { kind } = param;
  if (kind.type === "float" || kind.type === "int") {
    const text = entry === null ? null : String(entry);
    return <NumberField id={id} param={param} kind={kind} entry={text} onEnter={onEnter} onReset={onReset} note={note} />;
  }
  const shown = entry ?? defaultOf(param);
  const checked = check(param, shown);
  const trouble = note ?? ("trouble" in checked ? checked.trouble : null);
  const described = {
    "aria-invalid": trouble !== null,
    "aria-describedby": `${id}-help ${id}-trouble`,
  };
  return (
    <div className={styles.param}>
      <div className={styles.paramHead}>
        {kind.type === "toggle" ? (
          <label className={styles.toggle} htmlFor={id}>
            <input
              id={id}
              type="checkbox"
              checked={shown === true}
              onChange={(event) => onEnter(event.target.checked)}
              {...described}
            />
            <span>{param.label}</span>
          </label>
        ) : (
          <label htmlFor={id}>{param.label}</label>
        )}
        <ResetButton param={param} set={entry !== null} onReset={onReset} />
      </div>
      {kind.type === "choice" && (
        <select id={id} value={String(shown)} onChange={(event) => onEnter(event.target.value)} {...described}>
          {"trouble" in checked && <option value={String(shown)}>{String(shown)}</option>}
          {kind.choices.map((choice) => (
            <option key={choice.id} value={choice.id}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
      <FieldWords id={id} help={param.help} trouble={trouble} />
    </div>
  );
}
