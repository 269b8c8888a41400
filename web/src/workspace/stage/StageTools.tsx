// Above the time line: what is drawn and in which colours, and how near.

import { useSyncExternalStore } from "react";
import { t } from "@/i18n";
import type { Transport } from "../sound/transport";
import type { Picture, StageModel } from "./stageModel";
import styles from "./tools.module.css";

type Props = {
  model: StageModel;
  transport: Transport;
  picture: Picture;
  onPicture: (picture: Picture) => void;
  onKeys: () => void;
};

export function StageTools({ model, transport, picture, onPicture, onKeys }: Props) {
  useSyncExternalStore(model.subscribe, model.getStretch);
  return (
    <div className={styles.tools}>
      <div className={styles.pictures} role="group" aria-label={t("stage.picture")}>
        {(["wave", "spectrogram"] as const).map((known) => (
          <button key={known} type="button" aria-pressed={picture === known} onClick={() => onPicture(known)}>
            {t(`stage.${known}`)}
          </button>
        ))}
      </div>
      <p className={styles.legend}>
        {(["original", "corrected"] as const).map((side) => (
          <span key={side} data-side={side}>
            <svg viewBox="0 0 12 12" aria-hidden="true">
              {side === "original" ? <path d="M6 0l6 6-6 6-6-6z" /> : <circle cx="6" cy="6" r="5.500" />}
            </svg>
            {t(`version.${side}`)}
          </span>
        ))}
      </p>
      <div className={styles.zoom} role="group" aria-label={t("stage.zoom")}>
        <button type="button" aria-label={t("stage.zoomOut")} disabled={model.isWhole} onClick={() => model.zoomOut(transport.time_s)}>
          <span aria-hidden="true">−</span>
        </button>
        <button type="button" disabled={model.isWhole} onClick={() => model.fit()}>
          {t("stage.fit")}
        </button>
        <button type="button" aria-label={t("stage.zoomIn")} onClick={() => model.zoomIn(transport.time_s)}>
          <span aria-hidden="true">+</span>
        </button>
        <button type="button" className={styles.keys} aria-label={t("keys.title")} aria-keyshortcuts="?" onClick={onKeys}>
          <kbd aria-hidden="true">?</kbd>
        </button>
      </div>
    </div>
  );
}
