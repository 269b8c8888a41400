// Below the choice of a chain: the editor where one's own is chosen, else the way into it.

import { presetTitle } from "@/send/preset";
import { ChainEditor } from "./ChainEditor";
import { OWN, SAVED, savedName } from "./choice";
import type { ChainChoice } from "./useChainChoice";
import styles from "./chain.module.css";

export function ChosenChain({ choice }: { choice: ChainChoice }) {
  if (choice.draft === null) {
    return (
      <p className={styles.into}>
        <button type="button" className="quiet" onClick={choice.change}>
          Change the steps of “{presetTitle(choice.value)}”
        </button>
      </p>
    );
  }
  return (
    <ChainEditor
      draft={choice.draft}
      act={choice.act}
      externals={choice.externals}
      followed={choice.followed}
      name={savedName(choice.value)}
      onSaved={(name) => choice.keepAs(SAVED + name)}
      onForgotten={() => choice.keepAs(OWN)}
    />
  );
}
