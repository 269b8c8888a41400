// Makes a link that opens this correction to whoever has it, and shows which there are.

import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { type Trouble, describe } from "@/api/problem";
import { type Share as Link, createShare, revokeShare, sharesOf } from "@/api/shares";
import type { Job } from "@/api/types";
import { BASE } from "@/base";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import { TroubleNote } from "@/ui/TroubleNote";
import { dayAndTime } from "@/ui/words";
import styles from "./share.module.css";

const DAYS = [1, 7, 30, 365] as const;
const DAY_S = 24 * 3600;

export function Share({ job }: { job: Job }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {t("share")}
      </button>
      {open && <ShareDialog job={job} onClose={() => setOpen(false)} />}
    </>
  );
}

function ShareDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const announce = useAnnounce();
  const [mayDownload, setMayDownload] = useState(true);
  const [days, setDays] = useState<number>(30);
  const [links, setLinks] = useState<readonly Link[]>([]);
  const [made, setMade] = useState<Link | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    sharesOf(job.id, stop.signal).then(setLinks, (error: unknown) => {
      if (!stop.signal.aborted) setTrouble(describe(error));
    });
    return () => stop.abort();
  }, [job.id]);

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setTrouble(null);
    try {
      await work();
    } catch (error) {
      setTrouble(describe(error));
    } finally {
      setBusy(false);
    }
  };
  const make = () =>
    attempt(async () => {
      const link = await createShare(job.id, mayDownload, days * DAY_S);
      setMade(link);
      setLinks((before) => [link, ...before]);
      announce(t("share.made"));
    });
  const revoke = (link: Link) =>
    attempt(async () => {
      await revokeShare(link.id);
      setLinks((before) => before.filter((other) => other.id !== link.id));
      setMade((before) => (before?.id === link.id ? null : before));
      announce(t("share.revoked"));
    });

  return (
    <dialog
      ref={dialog}
      className={styles.share}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{t("share.title")}</h2>
      <p className="muted">{t("share.what")}</p>
      {made?.token !== undefined && made.token !== null ? (
        <MadeLink token={made.token} />
      ) : (
        <div className={styles.choice}>
          <label>
            {t("share.lasts")}
            <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {DAYS.map((count) => (
                <option key={count} value={count}>
                  {t("share.days", { count })}
                </option>
              ))}
            </select>
          </label>
          <label className={styles.check}>
            <input type="checkbox" checked={mayDownload} onChange={(event) => setMayDownload(event.target.checked)} />
            {t("share.mayDownload")}
          </label>
          <button type="button" className="primary" disabled={busy} onClick={() => void make()}>
            {t("share.make")}
          </button>
        </div>
      )}
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      {links.length > 0 && (
        <ul className={styles.links} aria-label={t("share.links")}>
          {links.map((link) => (
            <li key={link.id}>
              <span>
                {t(link.may_download ? "share.link.download" : "share.link.listen", { until: dayAndTime(link.expires_at) })}
              </span>
              <button type="button" className="quiet danger" disabled={busy} onClick={() => void revoke(link)}>
                {t("share.revoke")}
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="actions">
        <button type="button" onClick={onClose}>
          {t("close")}
        </button>
      </div>
    </dialog>
  );
}

/** Nobody can show it again. */
function MadeLink({ token }: { token: string }) {
  const address = `${location.origin}${BASE}/s/${token}`;
  const announce = useAnnounce();
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
      announce(t("share.copied"));
    } catch {
      // Not allowed: then it is marked, and the person's own keys copy it.
      field.current?.select();
    }
  };
  return (
    <div className={styles.made}>
      <label>
        {t("share.address")}
        <input ref={field} type="text" readOnly value={address} onFocus={(event) => event.target.select()} />
      </label>
      <button type="button" className="primary" onClick={() => void copy()}>
        {t("share.copy")}
      </button>
      <p className="muted">{t("share.once")}</p>
    </div>
  );
}
