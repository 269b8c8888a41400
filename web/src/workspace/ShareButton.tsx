// A link to hand on: how long it lasts, whether files may be taken away; and those there are, to revoke.

import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { type Trouble, describe } from "@/api/problem";
import { type Share, listShares, makeShare, revokeShare } from "@/api/shares";
import type { Job } from "@/api/types";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import { TroubleNote } from "@/ui/TroubleNote";
import { dayAndTime } from "@/ui/words";
import styles from "./workspace.module.css";

export function ShareButton({ job }: { job: Job }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {t("share.title")}
      </button>
      {open && <ShareDialog job={job} onClose={() => setOpen(false)} />}
    </>
  );
}

const DAYS = [1, 7, 30, 365] as const;
const DAYS_USUAL = 30;

function ShareDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const id = useId();
  const announce = useAnnounce();
  const dialog = useRef<HTMLDialogElement>(null);
  const link = useRef<HTMLInputElement>(null);
  const [days, setDays] = useState<number>(DAYS_USUAL);
  const [mayDownload, setMayDownload] = useState(false);
  const [made, setMade] = useState<Share | null>(null);
  const [others, setOthers] = useState<readonly Share[]>([]);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    listShares(stop.signal).then(
      (all) => setOthers(all.filter((share) => share.job_id === job.id)),
      () => undefined, // making one still works, or says why not
    );
    return () => stop.abort();
  }, [job.id]);
  useEffect(() => {
    if (made !== null) link.current?.select();
  }, [made]);

  const make = async () => {
    setBusy(true);
    setTrouble(null);
    try {
      const share = await makeShare(job, mayDownload, days);
      setMade(share);
      setOthers((all) => [share, ...all]);
    } catch (error) {
      setTrouble(describe(error));
    } finally {
      setBusy(false);
    }
  };
  const revoke = (share: Share) => {
    setTrouble(null);
    revokeShare(share.id).then(
      () => {
        setOthers((all) => all.filter(({ id: other }) => other !== share.id));
        if (made?.id === share.id) setMade(null);
        announce(t("share.revoked"));
      },
      (error: unknown) => setTrouble(describe(error)),
    );
  };
  const address = made?.page == null ? "" : new URL(made.page, location.href).href;
  const copy = () => {
    navigator.clipboard.writeText(address).then(
      () => announce(t("share.copied")),
      () => announce(t("share.noCopy")),
    );
  };

  return (
    <dialog
      ref={dialog}
      className={styles.share}
      aria-labelledby={`${id}-title`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={`${id}-title`}>{t("share.title")}</h2>
      <p className="muted">{t("share.what")}</p>
      {made === null ? (
        <>
          <div>
            <label htmlFor={`${id}-days`}>{t("share.for")}</label>
            <select id={`${id}-days`} value={days} onChange={(event) => setDays(Number(event.target.value))}>
              {DAYS.map((count) => (
                <option key={count} value={count}>
                  {t("share.days", { count })}
                </option>
              ))}
            </select>
          </div>
          <label className={styles.check}>
            <input type="checkbox" checked={mayDownload} onChange={(event) => setMayDownload(event.target.checked)} />
            <span>{t("share.download")}</span>
          </label>
        </>
      ) : (
        <div className={styles.link}>
          <label htmlFor={`${id}-link`}>{t("share.link")}</label>
          <input ref={link} id={`${id}-link`} type="text" readOnly value={address} />
          <button type="button" className="primary" onClick={copy}>
            {t("share.copy")}
          </button>
        </div>
      )}
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      <div className="actions">
        {made === null && (
          <button type="button" className="primary" disabled={busy} onClick={() => void make()}>
            {t("share.make")}
          </button>
        )}
        <button type="button" onClick={onClose}>
          {t("close")}
        </button>
      </div>
      {others.length > 0 && (
        <section aria-labelledby={`${id}-others`}>
          <h3 id={`${id}-others`}>{t("share.others")}</h3>
          <ul className={styles.shares}>
            {others.map((share) => (
              <li key={share.id}>
                <span className="muted">
                  {t(share.expired ? "share.over" : "share.until", { when: dayAndTime(share.expires_at) })}
                  {share.may_download && `, ${t("share.mayDownload")}`}
                </span>
                <button type="button" className="quiet danger" onClick={() => revoke(share)}>
                  {t("share.revoke")}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </dialog>
  );
}
