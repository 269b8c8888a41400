// The one slider of a closed step.

import { moved, positionOf, positions } from "@/params/slider";
import { defaultOf, numberIn, shown } from "@/params/values";
import { useCatalogue } from "@/plugins/Catalogue";
import type { DraftAction, DraftStep } from "./draft";
import { isMix, mainParam } from "./mainParam";
import styles from "./chain.module.css";

type Props = { step: DraftStep; title: string; act: (action: DraftAction) => void };

export function MainSlider({ step, title, act }: Props) {
  const { manifestOf } = useCatalogue();
  const param = mainParam(manifestOf(step));
  if (param === null || step.off) return null;
  const { kind } = param;
  const entry = isMix(param) ? step.mix : (step.entries[param.id] ?? String(defaultOf(param)));
  const value = numberIn(entry) ?? kind.default;
  const enter = (next: number) => {
    if (isMix(param)) act({ type: "change", key: step.key, field: "mix", change: { mix: String(next) } });
    else act({ type: "enter", key: step.key, param: param.id, entry: String(next) });
  };
  return (
    <label className={styles.main}>
      <span>{param.label}</span>
      <input
        type="range"
        aria-label={`${title}: ${param.label}`}
        aria-valuetext={shown(value, param.unit)}
        min={0}
        max={positions(kind)}
        step={1}
        value={positionOf(kind, value)}
        onChange={(event) => enter(moved(kind, value, Number(event.target.value)))}
      />
      <output>{shown(value, param.unit)}</output>
    </label>
  );
}
