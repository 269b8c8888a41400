// What there is of somebody: on the server, and in this browser. All of it can go.

import { useEffect, useId, useState } from "react";
import { deleteRecording, listRecordings } from "@/api/endpoints";
import { type Trouble, describe } from "@/api/problem";
import type { Recording } from "@/api/types";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import { ConfirmDialog } from "@/ui/ConfirmDialog";
import { TroubleNote } from "@/ui/TroubleNote";
import { size } from "@/ui/words";

async function everything(signal: AbortSignal): Promise<Recording[]> {
  const all: Recording[] = [];
  let token: string | null = null;
  do {
    const page = await listRecordings(token, signal);
    all.push(...page.items);
    token = page.next_page_token;
  } while (token !== null);
  return all;
}

export function Stored({ onDeletedAll }: { onDeletedAll: () => void }) {
  const id = useId();
  const announce = useAnnounce();
  const [all, setAll] = useState<readonly Recording[] | null>(null);
  const [asking, setAsking] = useState(false);
  const [left, setLeft] = useState<number | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  useEffect(() => {
    const stop = new AbortController();
    everything(stop.signal).then(setAll, (error: unknown) => {
      if (!stop.signal.aborted) setTrouble(describe(error));
    });
    return () => stop.abort();
  }, []);

  const remove = async () => {
    setAsking(false);
    setTrouble(null);
    try {
      // Anew: some may have come since.
      const found = await everything(new AbortController().signal);
      for (const [at, recording] of found.entries()) {
        setLeft(found.length - at);
        await deleteRecording(recording.id, { forever: true });
      }
      setAll([]);
      announce(t("stored.deleted"));
      onDeletedAll();
    } catch (error) {
      setTrouble(describe(error));
    } finally {
      setLeft(null);
    }
  };

  const bytes = (all ?? []).reduce((sum, recording) => sum + recording.size_bytes, 0);
  return (
    <section className="card" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{t("stored.title")}</h2>
      <p>
        {all === null ? t("list.looking") : t("stored.server", { count: all.length, size: size(bytes) })}
      </p>
      <p className="muted">{t("stored.browser")}</p>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      <div className="actions">
        <button
          type="button"
          className="danger"
          disabled={all === null || all.length === 0 || left !== null}
          onClick={() => setAsking(true)}
        >
          {left === null ? t("stored.deleteAll") : t("stored.deleting", { count: left })}
        </button>
      </div>
      {asking && (
        <ConfirmDialog
          title={t("stored.deleteAll.title")}
          text={t("stored.deleteAll.text", { count: all?.length ?? 0 })}
          confirm={t("stored.deleteAll")}
          onConfirm={() => void remove()}
          onCancel={() => setAsking(false)}
        />
      )}
    </section>
  );
}
