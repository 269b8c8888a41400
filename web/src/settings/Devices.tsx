// The same recordings on another device: a code from here, or one from there.

import { type SubmitEvent, useCallback, useEffect, useId, useState } from "react";
import { type Device, type DeviceCode, endDevice, enterCode, listDevices, newCode } from "@/api/devices";
import { type Trouble, describe } from "@/api/problem";
import { t } from "@/i18n";
import { TroubleNote } from "@/ui/TroubleNote";
import { dayAndTime } from "@/ui/words";
import styles from "./settings.module.css";

export function Devices() {
  const id = useId();
  const [devices, setDevices] = useState<readonly Device[]>([]);
  const [code, setCode] = useState<DeviceCode | null>(null);
  const [typed, setTyped] = useState("");
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const failed = useCallback((error: unknown) => setTrouble(describe(error)), []);

  useEffect(() => {
    const stop = new AbortController();
    listDevices(stop.signal).then(setDevices, (error: unknown) => {
      if (!stop.signal.aborted) failed(error);
    });
    return () => stop.abort();
  }, [failed]);

  const end = (device: Device) => {
    endDevice(device.id).then(() => setDevices((all) => all.filter((other) => other !== device)), failed);
  };
  const enter = (event: SubmitEvent) => {
    event.preventDefault();
    setTrouble(null);
    if (typed.trim() === "") return;
    // Everything that is shown is another owner's then.
    enterCode(typed).then(() => location.reload(), failed);
  };

  return (
    <section className="card" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{t("devices.title")}</h2>
      <p className="muted">{t("devices.what")}</p>
      <div className={styles.pair}>
        <div>
          <button type="button" onClick={() => void newCode().then(setCode, failed)}>
            {t("devices.code")}
          </button>
          {code !== null && (
            <p role="status">
              <strong className={styles.code}>{code.code}</strong>
              <br />
              <span className="muted">{t("devices.code.until", { when: dayAndTime(code.expires_at) })}</span>
            </p>
          )}
        </div>
        <form onSubmit={enter}>
          <label htmlFor={`${id}-code`}>{t("devices.enter")}</label>
          <div className={styles.row}>
            <input
              id={`${id}-code`}
              type="text"
              autoComplete="one-time-code"
              spellCheck={false}
              placeholder="7K2QF-9XM4T"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
            <button type="submit">{t("devices.enter.use")}</button>
          </div>
        </form>
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
      <ul className={styles.list}>
        {devices.map((device) => (
          <li key={device.id}>
            <span>
              {device.current ? <strong>{t("devices.this")}</strong> : t("devices.other")}{" "}
              <span className="muted">
                {t("devices.since", { when: dayAndTime(device.created_at) })}
                {device.last_used_at !== null && `, ${t("devices.used", { when: dayAndTime(device.last_used_at) })}`}
              </span>
            </span>
            {!device.current && (
              <button type="button" className="quiet danger" onClick={() => end(device)}>
                {t("devices.end")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
