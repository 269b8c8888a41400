// What the browser has kept, offered when the page is opened again.

import { useState } from "react";
import { t } from "@/i18n";
import { ConfirmDialog } from "@/ui/ConfirmDialog";
import { clock, dayAndTime } from "@/ui/words";
import type { Kept } from "./useKept";
import type { KeptTake } from "./vault";
import type { Take } from "./take";
import styles from "./recording.module.css";

export function KeptTakes({ kept, onTake }: { kept: Kept; onTake: (take: Take) => void }) {
  const [asking, setAsking] = useState<KeptTake | null>(null);
  if (kept.takes.length === 0) return null;
  const open = async (take: KeptTake) => {
    const opened = await kept.open(take);
    if (opened !== null) onTake(opened);
  };
  return (
    <section className={`note ${styles.kept}`} aria-labelledby="kept">
      <h2 id="kept">{t("kept.title", { count: kept.takes.length })}</h2>
      <ul>
        {kept.takes.map((take) => (
          <li key={take.id}>
            <p>
              {t("kept.take", { length: clock(take.duration_ms), when: dayAndTime(new Date(take.began_at)) })}
            </p>
            <span className="actions">
              <button type="button" onClick={() => void open(take)}>
                {t("kept.open")}
              </button>
              <button type="button" className="quiet danger" onClick={() => setAsking(take)}>
                {t("take.throwAway")}
              </button>
            </span>
          </li>
        ))}
      </ul>
      {asking !== null && (
        <ConfirmDialog
          title={t("take.throwAway.title")}
          text={t("take.throwAway.text", { length: clock(asking.duration_ms) })}
          confirm={t("take.throwAway")}
          onConfirm={() => {
            kept.remove(asking);
            setAsking(null);
          }}
          onCancel={() => setAsking(null)}
        />
      )}
    </section>
  );
}
