// What should be done to the recording: a preset, a remembered chain, or one's own.

import { type ReactNode, useId } from "react";
import { OWN, SAVED } from "@/chain/choice";
import type { ChainChoice } from "@/chain/useChainChoice";
import { presetTitle } from "./preset";
import styles from "./send.module.css";

export function PresetChoice({ choice }: { choice: ChainChoice }) {
  const name = useId();
  const option = (value: string, title: string, summary: ReactNode) => (
    <label key={value} className={styles.preset}>
      <input
        type="radio"
        name={name}
        value={value}
        checked={value === choice.value}
        onChange={() => choice.choose(value)}
      />
      <span>
        <strong>{title}</strong>
        <span className="muted">{summary}</span>
      </span>
    </label>
  );
  return (
    <fieldset className={styles.presets}>
      <legend>Correct it for</legend>
      <div className={styles.presetGrid}>
        {choice.presets.map((preset) => option(preset.name, presetTitle(preset.name), preset.summary))}
        {choice.saved.map(({ name: saved, chain }) =>
          option(SAVED + saved, saved, `Your own: ${stepsInWords(chain.steps.length)}`),
        )}
        {option(OWN, "Build your own chain", "Choose the steps and set each of them")}
      </div>
    </fieldset>
  );
}

function stepsInWords(count: number): string {
  return count === 1 ? "one step" : `${count} steps`;
}
