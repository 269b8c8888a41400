// What should be done to the recording: a preset, a remembered chain, or one's own.

import { type ReactNode, useId } from "react";
import { OWN, SAVED } from "@/chain/choice";
import type { ChainChoice } from "@/chain/useChainChoice";
import { t } from "@/i18n";
import { presetSummary, presetTitle } from "./preset";
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
      <legend>{t("preset.legend")}</legend>
      <div className={styles.presetGrid}>
        {choice.presets.map((preset) => option(preset.name, presetTitle(preset.name), presetSummary(preset)))}
        {choice.saved.map(({ name: saved, chain }) =>
          option(SAVED + saved, saved, t("preset.saved.why", { count: chain.steps.length })),
        )}
        {option(OWN, t("preset.own"), t("preset.own.why"))}
      </div>
    </fieldset>
  );
}
