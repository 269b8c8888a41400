// Below the choice of a chain: the editor where one's own is chosen, else the way into it.

import { Suspense, lazy } from "react";
import { t } from "@/i18n";
import { presetTitle } from "@/send/preset";
import { OWN, SAVED, savedName } from "./choice";
import type { ChainChoice } from "./useChainChoice";
import styles from "./chain.module.css";

const ChainEditor = lazy(() => import("./ChainEditor"));

export function ChosenChain({ choice }: { choice: ChainChoice }) {
  if (choice.draft === null) {
    return (
      <p className={styles.into}>
        <button type="button" className="quiet" onClick={choice.change}>
          {t("preset.change", { name: presetTitle(choice.value) })}
        </button>
      </p>
    );
  }
  return (
    <Suspense fallback={<p className="muted">{t("opening")}</p>}>
      <ChainEditor
        draft={choice.draft}
        act={choice.act}
        undo={choice.undo}
        reset={choice.reset}
        externals={choice.externals}
        followed={choice.followed}
        name={savedName(choice.value)}
        onSaved={(name) => choice.keepAs(SAVED + name)}
        onForgotten={() => choice.keepAs(OWN)}
      />
    </Suspense>
  );
}
