// Play, where we are, which version, equally loud, the loop. The same bar is pinned to the bottom of a phone's screen.

import { type ReactNode, useEffect, useId, useRef, useSyncExternalStore } from "react";
import { t } from "@/i18n";
import { clock } from "@/ui/words";
import { HEARD } from "./gains";
import type { Transport } from "./transport";
import styles from "./sound.module.css";

type Props = {
  transport: Transport;
  /** The stream that can do everything is still made. */
  making: boolean;
  children?: ReactNode;
};

export function TransportBar({ transport, making, children }: Props) {
  const state = useSyncExternalStore(transport.subscribe, transport.getState);
  const name = useId();
  return (
    <div className={styles.bar} role="group" aria-label={t("transport.label")} data-heard={state.heard}>
      <button
        type="button"
        className={styles.play}
        aria-label={state.playing ? t("transport.pause") : t("transport.play")}
        aria-keyshortcuts="Space"
        disabled={state.kinds === null}
        onClick={transport.toggle}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={state.playing ? "M7 5h4v14H7zM14 5h4v14h-4z" : "M8 4.500v15l12-7.500z"} />
        </svg>
      </button>
      <Clock transport={transport} />
      <fieldset className={styles.versions}>
        <legend className="hidden">{t("transport.heard")}</legend>
        {HEARD.map((heard) => (
          <label key={heard} data-version={heard}>
            <input
              type="radio"
              name={name}
              value={heard}
              checked={state.heard === heard}
              disabled={state.kinds?.includes(heard) !== true}
              onChange={() => transport.hear(heard)}
            />
            <span>{t(`version.${heard}`)}</span>
          </label>
        ))}
      </fieldset>
      <button
        type="button"
        className={styles.switch}
        data-version={state.heard}
        aria-keyshortcuts="X"
        onClick={transport.other}
      >
        {t("transport.switch", { version: t(state.heard === "corrected" ? "version.original" : "version.corrected") })}
      </button>
      <label className={styles.check} title={t("transport.matched.why")}>
        <input type="checkbox" checked={state.matched} onChange={(event) => transport.match(event.target.checked)} />
        <span>{t("transport.matched")}</span>
      </label>
      {state.loop !== null && (
        <span className={styles.loop}>
          <label className={styles.check}>
            <input type="checkbox" checked={state.looping} onChange={() => transport.toggleLooping()} />
            <span className={styles.numbers}>
              {t("transport.loop", { from: clock(state.loop.from_s * 1000), to: clock(state.loop.to_s * 1000) })}
            </span>
          </label>
          <button type="button" className="quiet" aria-label={t("transport.loop.end")} onClick={() => transport.setLoop(null)}>
            <span aria-hidden="true">×</span>
          </button>
        </span>
      )}
      {making && (
        <span className={styles.making} role="status">
          {t("transport.making")}
        </span>
      )}
      <span className={styles.more}>{children}</span>
    </div>
  );
}

/** Written to the element at each frame: going through React would cost more. */
function Clock({ transport }: { transport: Transport }) {
  const now = useRef<HTMLSpanElement>(null);
  const { jumps, playing } = useSyncExternalStore(transport.subscribe, transport.getState);
  useEffect(() => {
    let frame = 0;
    const write = () => {
      const words = tenths(transport.time_s);
      if (now.current !== null && now.current.textContent !== words) now.current.textContent = words;
      if (playing) frame = requestAnimationFrame(write);
    };
    write();
    return () => cancelAnimationFrame(frame);
  }, [transport, playing, jumps]);
  return (
    <p className={styles.clock}>
      <span ref={now} role="timer" aria-live="off" />
      <span className={styles.whole}> / {clock(transport.duration_s * 1000)}</span>
    </p>
  );
}

function tenths(at_s: number): string {
  return `${clock(at_s * 1000)}.${Math.floor(at_s * 10) % 10}`;
}
