// Back to the plugin's default, which is written on it.

import type { Param } from "@/api/plugins";
import { words } from "./values";
import styles from "./chain.module.css";

type Props = { param: Param; set: boolean; onReset: () => void };

export function ResetButton({ param, set, onReset }: Props) {
  // Stays when it has nothing to do, so that the focus does not fall off the page.
  return (
    <button
      type="button"
      className={`quiet ${styles.reset}`}
      aria-disabled={!set}
      aria-label={`${param.label}: back to the default, ${words(param, param.kind.default)}`}
      onClick={set ? onReset : undefined}
    >
      {set ? "Reset" : "Default"}
    </button>
  );
}
