// Everything that was sent: found by words, status and order, renamed where it stands, deleted with a way back. What is
// searched for is in the address.

import { useEffect, useId, useRef, useState } from "react";
import type { Trouble } from "@/api/problem";
import { type Recording, STATUSES } from "@/api/types";
import { type Key, t } from "@/i18n";
import "@/i18n/en";
import { TroubleNote } from "@/ui/TroubleNote";
import { type View, go as goTo, hasMoved } from "@/ui/useView";
import { RecordingRow } from "./RecordingRow";
import { Renaming } from "./Renaming";
import { nameOf } from "./name";
import { unfinished } from "./state";
import type { Deleting } from "./useDeleting";
import { useListing } from "./useListing";
import type { Recordings } from "./useRecordings";
import rows from "./jobs.module.css";
import styles from "./list.module.css";

type ListView = View & { name: "recordings" };

type Props = { recordings: Recordings; deleting: Deleting; view: ListView; go: (view: View) => void };

/** As the API names them; the empty one is the newest first. */
const ORDERS = [
  ["", "sort.newest"],
  ["created_at", "sort.oldest"],
  ["name", "sort.name"],
  ["-duration", "sort.longest"],
  ["duration", "sort.shortest"],
] as const satisfies readonly (readonly [string, Key])[];

const TYPING_MS = 250;

export default function RecordingsView({ recordings, deleting, view, go }: Props) {
  const { state, stream, refresh, added } = recordings;
  const { phase, trouble, items, more } = useListing(recordings, view);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [renaming, setRenaming] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const behind = stream === "waiting" && unfinished(state.recordings).length > 0;
  const chosen = items.filter(({ id }) => selected.has(id));
  const searched = view.search !== "" || view.status !== "";
  useEffect(() => {
    if (hasMoved()) heading.current?.focus({ preventScroll: true });
  }, []);

  const select = (recording: Recording, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(recording.id);
    else next.delete(recording.id);
    setSelected(next);
  };
  const remove = (wanted: readonly Recording[]) => {
    deleting.remove(wanted);
    setSelected(new Set());
    heading.current?.focus();
  };

  return (
    <main className="page">
      <h1 ref={heading} tabIndex={-1}>
        {t("list.title")}
      </h1>
      <Finder view={view} />
      {behind && <p className="note">{t("list.behind")}</p>}
      {phase === "loading" && <p className="muted">{t("list.looking")}</p>}
      {phase === "failed" && trouble !== null && (
        <TroubleNote trouble={trouble}>
          <button type="button" onClick={refresh}>
            {t("again")}
          </button>
        </TroubleNote>
      )}
      {phase === "ready" && items.length === 0 && (
        <p className="muted" role="status">
          {searched ? t("list.nothingFound") : t("list.nothing")}
        </p>
      )}
      {chosen.length > 0 && (
        <div className={styles.chosen} role="group" aria-label={t("list.selected", { count: chosen.length })}>
          <strong>{t("list.selected", { count: chosen.length })}</strong>
          <button type="button" className="danger" onClick={() => remove(chosen)}>
            {t("delete")}
          </button>
          <button type="button" className="quiet" onClick={() => setSelected(new Set(items.map(({ id }) => id)))}>
            {t("list.selectAll")}
          </button>
          <button type="button" className="quiet" onClick={() => setSelected(new Set())}>
            {t("list.selectNone")}
          </button>
        </div>
      )}
      <ol className={rows.rows}>
        {items.map((recording) => (
          <RecordingRow
            key={recording.id}
            recording={recording}
            go={go}
            before={
              <input
                type="checkbox"
                className={styles.select}
                aria-label={t("list.select", { name: nameOf(recording) })}
                checked={selected.has(recording.id)}
                onChange={(event) => select(recording, event.target.checked)}
              />
            }
            instead={
              renaming === recording.id ? (
                <Renaming recording={recording} onRenamed={added} onEnd={() => setRenaming(null)} />
              ) : undefined
            }
          >
            <span className={styles.rowActions}>
              <button
                type="button"
                className="quiet"
                aria-label={t("rename.label", { name: nameOf(recording) })}
                onClick={() => setRenaming(recording.id)}
              >
                {t("rename")}
              </button>
              <button
                type="button"
                className="quiet danger"
                aria-label={t("delete.label", { name: nameOf(recording) })}
                onClick={() => remove([recording])}
              >
                {t("delete")}
              </button>
            </span>
          </RecordingRow>
        ))}
      </ol>
      {more !== null && <LoadMore loadMore={more} />}
    </main>
  );
}

function Finder({ view }: { view: ListView }) {
  const id = useId();
  const [typed, setTyped] = useState(view.search);
  const latest = useRef(view);
  useEffect(() => {
    latest.current = view;
  });
  useEffect(() => {
    // Nothing new: the address is not touched, wherever one has gone meanwhile.
    if (typed.trim() === latest.current.search) return;
    const timer = setTimeout(() => goTo({ ...latest.current, search: typed.trim() }, { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <form className={styles.finder} role="search" onSubmit={(event) => event.preventDefault()}>
      <div>
        <label htmlFor={`${id}-search`}>{t("list.search")}</label>
        <input
          id={`${id}-search`}
          type="search"
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      <div>
        <label htmlFor={`${id}-status`}>{t("list.status")}</label>
        <select id={`${id}-status`} value={view.status} onChange={(event) => goTo({ ...view, status: event.target.value })}>
          <option value="">{t("list.status.any")}</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {t(`status.${status}`)}
            </option>
          ))}
        </select>
      </div>
      <div>
        <label htmlFor={`${id}-sort`}>{t("list.sort")}</label>
        <select id={`${id}-sort`} value={view.sort} onChange={(event) => goTo({ ...view, sort: event.target.value })}>
          {ORDERS.map(([order, words]) => (
            <option key={order} value={order}>
              {t(words)}
            </option>
          ))}
        </select>
      </div>
    </form>
  );
}

function LoadMore({ loadMore }: { loadMore: () => Promise<Trouble | null> }) {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const load = async () => {
    setBusy(true);
    setTrouble(await loadMore());
    setBusy(false);
  };
  return (
    <div className="actions">
      <button type="button" disabled={busy} onClick={() => void load()}>
        {busy ? t("list.looking") : t("list.more")}
      </button>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </div>
  );
}
