// What should be done to the recording.

import { useId } from "react";
import type { Preset } from "@/api/types";
import { presetTitle } from "./preset";
import styles from "./send.module.css";

type Props = { presets: readonly Preset[]; value: string; onChange: (name: string) => void };

export function PresetChoice({ presets, value, onChange }: Props) {
  const id = useId();
  return (
    <fieldset className={styles.presets}>
      <legend>Correct it for</legend>
      <div className={styles.presetGrid}>
        {presets.map((preset) => (
          <label key={preset.name} className={styles.preset}>
            <input
              type="radio"
              name={`${id}-preset`}
              value={preset.name}
              checked={preset.name === value}
              onChange={() => onChange(preset.name)}
            />
            <span>
              <strong>{presetTitle(preset.name)}</strong>
              <span className="muted">{preset.summary}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
