// Back to the plugin's default.

import type { Param } from "@/api/plugins";
import { words } from "./values";
import styles from "./params.module.css";

type Props = { param: Param; set: boolean; onReset: () => void };

export function ResetButton({ param, set, onReset }: Props) {
  const standard = words(param, param.kind.default);
  // Stays when it has nothing to do, so that the focus does not fall off the page.
  return (
    <button
      type="button"
      className={`quiet ${styles.reset}`}
      aria-disabled={!set}
      // Begins with what is seen, so that it can be called by that.
      aria-label={set ? `Reset ${param.label} to ${standard}` : `Default: ${param.label} is ${standard}`}
      onClick={set ? onReset : undefined}
    >
      {set ? "Reset" : "Default"}
    </button>
  );
}
