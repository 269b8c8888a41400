// Every version of a plugin, those removed included: jobs that ran them still say so.

import { useState } from "react";
import { removeVersion } from "@/api/admin";
import { type Trouble, describe } from "@/api/problem";
import type { Plugin, VersionRow } from "@/api/plugins";
import { useAnnounce } from "@/ui/Announcer";
import { ConfirmDialog } from "@/ui/ConfirmDialog";
import { TroubleNote } from "@/ui/TroubleNote";
import { dayAndTime } from "@/ui/words";
import styles from "./plugins.module.css";

type Props = {
  plugin: Plugin;
  rows: readonly VersionRow[];
  shown: string;
  adminKey: string;
  onShow: (version: string) => void;
  onRemoved: () => void;
};

export function Versions({ plugin, rows, shown, adminKey, onShow, onRemoved }: Props) {
  const announce = useAnnounce();
  const [asking, setAsking] = useState<VersionRow | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const remove = async (row: VersionRow) => {
    setAsking(null);
    setTrouble(null);
    try {
      await removeVersion(plugin.id, row.version, adminKey);
      announce(`${plugin.name} ${row.version} was removed.`);
      onRemoved();
    } catch (error) {
      setTrouble(describe(error));
    }
  };

  return (
    <section className={styles.part} aria-label={`Versions of ${plugin.name}`}>
      <h3>Versions</h3>
      <ul className={styles.versions}>
        {rows.map((row) => (
          <li key={row.version} data-version={row.version}>
            <span>
              <strong>{row.version}</strong> <span className="muted">{when(row)}</span>
            </span>
            <code className={styles.digest}>{row.digest}</code>
            <span className="actions">
              {row.removed_at === null && row.version !== shown && (
                <button type="button" className="quiet" onClick={() => onShow(row.version)}>
                  Show {row.version}
                </button>
              )}
              {row.removed_at === null && adminKey !== "" && !comesWithRetake(plugin, row) && (
                <button type="button" className="quiet danger" onClick={() => setAsking(row)}>
                  Remove {row.version}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      {asking !== null && (
        <ConfirmDialog
          title={`Remove ${plugin.name} ${asking.version}?`}
          text="New jobs cannot use it any more. Jobs that ran it keep their reports."
          confirm="Remove it"
          onConfirm={() => void remove(asking)}
          onCancel={() => setAsking(null)}
        />
      )}
    </section>
  );
}

/** Those cannot be removed. Of older versions the server says it when asked. */
function comesWithRetake(plugin: Plugin, row: VersionRow): boolean {
  return plugin.origin === "built_in" && plugin.version === row.version;
}

function when(row: VersionRow): string {
  if (row.removed_at !== null) return `removed ${dayAndTime(row.removed_at)}`;
  return row.published_at === null ? "comes with Retake" : `since ${dayAndTime(row.published_at)}`;
}
