// After deleting, at the bottom of every view, until it is taken back or dismissed.

import { t } from "@/i18n";
import "@/i18n/en";
import { TroubleNote } from "@/ui/TroubleNote";
import { nameOf } from "./name";
import type { Deleting } from "./useDeleting";
import styles from "./list.module.css";

export default function UndoBar({ deleting: { last, trouble, undo, dismiss } }: { deleting: Deleting }) {
  const [first] = last;
  return (
    <section className={styles.undo} aria-label={t("deleted.label")}>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      {first !== undefined && (
        <p>
          <bdi>{t("deleted", { count: last.length, name: nameOf(first) })}</bdi>
          <button type="button" onClick={undo}>
            {t("deleted.undo")}
          </button>
          <button type="button" aria-label={t("deleted.dismiss")} onClick={dismiss}>
            <span aria-hidden="true">×</span>
          </button>
        </p>
      )}
    </section>
  );
}
