// Which of several versions is heard, and whether they are as loud as each other.

import { useId } from "react";
import type { Heard } from "./compare";
import styles from "./player.module.css";

export const WORDS: Readonly<Record<Heard, string>> = {
  original: "Original",
  corrected: "Corrected",
  removed: "Removed",
};

type Props<Known extends Heard> = {
  all: readonly Known[];
  heard: Known;
  onHeard: (heard: Known) => void;
  matched: boolean;
  onMatched: (matched: boolean) => void;
};

export function HeardChoice<Known extends Heard>({ all, heard, onHeard, matched, onMatched }: Props<Known>) {
  const name = useId();
  return (
    <fieldset className={styles.heard}>
      <legend className="hidden">What is heard</legend>
      {all.map((known) => (
        <label key={known} data-heard={known}>
          <input type="radio" name={name} value={known} checked={heard === known} onChange={() => onHeard(known)} />
          <span>{WORDS[known]}</span>
        </label>
      ))}
      <label className={styles.match}>
        <input type="checkbox" checked={matched} onChange={(event) => onMatched(event.target.checked)} />
        <span>Same loudness</span>
      </label>
    </fieldset>
  );
}
