// One recording before it is sent: listen to it, keep it or not; then how far it is.

import { useState } from "react";
import { t } from "@/i18n";
import { ConfirmDialog } from "@/ui/ConfirmDialog";
import { TroubleNote } from "@/ui/TroubleNote";
import { useBlobSource } from "@/ui/useBlobSource";
import { clock, percent, size } from "@/ui/words";
import { type Item, isUnderWay } from "./batch";
import styles from "./send.module.css";

type Props = { item: Item; alone: boolean; onDiscard: () => void };

export function TakeView({ item, alone, onDiscard }: Props) {
  const { take, state } = item;
  const [asking, setAsking] = useState(false);
  const facts = [take.duration_ms === null ? null : clock(take.duration_ms), size(take.blob.size)];
  const recorded = take.source === "microphone";
  return (
    <li className={styles.take} data-take={state.phase}>
      <div className={styles.takeHead}>
        <h3>
          <bdi>{take.name}</bdi>
        </h3>
        <p className="muted">{facts.filter((fact) => fact !== null).join(" · ")}</p>
        {/* Both as high as each other: what is below must not move under somebody's finger. */}
        <span className={styles.place}>
          {isUnderWay(item) ? (
            <Sending fraction={state.phase === "sending" ? state.fraction : null} />
          ) : (
            <button
              type="button"
              className={recorded ? "quiet danger" : "quiet"}
              aria-label={alone ? undefined : `${t(recorded ? "take.throwAway" : "take.remove")}: ${take.name}`}
              onClick={recorded ? () => setAsking(true) : onDiscard}
            >
              {recorded ? t("take.throwAway") : alone ? t("take.another") : t("take.remove")}
            </button>
          )}
        </span>
      </div>
      {take.cutShort && <p className="note">{t("take.cutShort")}</p>}
      {(alone || recorded) && <Listen blob={take.blob} name={take.name} />}
      {state.phase === "failed" && <TroubleNote trouble={state.trouble} alert />}
      {asking && (
        <ConfirmDialog
          title={t("take.throwAway.title")}
          text={t("take.throwAway.text", { length: take.duration_ms === null ? "" : clock(take.duration_ms) })}
          confirm={t("take.throwAway")}
          onConfirm={() => {
            setAsking(false);
            onDiscard();
          }}
          onCancel={() => setAsking(false)}
        />
      )}
    </li>
  );
}

function Listen({ blob, name }: { blob: Blob; name: string }) {
  const source = useBlobSource(blob);
  return <audio ref={source} controls aria-label={t("take.listen", { name })} data-player="take" />;
}

/** Null while it waits for its turn. */
function Sending({ fraction }: { fraction: number | null }) {
  const sent = fraction !== null && fraction >= 1;
  return (
    <span className={styles.sending}>
      <span role="status">{fraction === null ? t("send.waiting") : sent ? t("send.storing") : t("send.sending")}</span>
      <progress aria-label={t("send.share")} {...(fraction === null || sent ? {} : { value: fraction })} />
      <span className="muted">{percent(fraction ?? 0)}</span>
    </span>
  );
}
