// The blind test in the place of the transport's choice: A or B, which is better, and at the end a verdict in words.

import { useEffect, useRef, useState } from "react";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import type { Transport } from "../sound/transport";
import { type Round, behind, choose, current, newTest, outcome, verdict } from "./blind";
import styles from "./blind.module.css";

export function BlindTest({ transport, onEnd }: { transport: Transport; onEnd: () => void }) {
  const announce = useAnnounce();
  const [test, setTest] = useState<readonly Round[]>(() => newTest(Math.random));
  const [letter, setLetter] = useState<"a" | "b">("a");
  const heading = useRef<HTMLHeadingElement>(null);
  const at = current(test);
  const round = at === null ? null : test[at];

  useEffect(() => {
    heading.current?.focus();
    transport.match(true);
  }, [transport]);

  useEffect(() => {
    if (round !== null && round !== undefined) transport.hear(behind(round, letter));
  }, [transport, round, letter]);

  const hear = (wanted: "a" | "b") => {
    setLetter(wanted);
    if (!transport.getState().playing) transport.play();
  };
  const decide = (chosen: "a" | "b" | "neither") => {
    const next = choose(test, chosen);
    setTest(next);
    setLetter("a");
    const following = current(next);
    announce(following === null ? verdict(outcome(next)) : t("blind.round", { round: following + 1, all: next.length }));
  };

  return (
    <section className={styles.test} aria-labelledby="blind-test">
      <h3 id="blind-test" ref={heading} tabIndex={-1}>
        {at === null ? t("blind.result") : t("blind.round", { round: at + 1, all: test.length })}
      </h3>
      {at === null ? (
        <Result test={test} />
      ) : (
        <>
          <p className="muted">{t("blind.how")}</p>
          <div className={styles.letters}>
            {(["a", "b"] as const).map((known) => (
              <button key={known} type="button" aria-pressed={letter === known} onClick={() => hear(known)}>
                {t("blind.hear", { letter: known.toUpperCase() })}
              </button>
            ))}
          </div>
          <div className="actions">
            <button type="button" className="primary" onClick={() => decide("a")}>
              {t("blind.better", { letter: "A" })}
            </button>
            <button type="button" className="primary" onClick={() => decide("b")}>
              {t("blind.better", { letter: "B" })}
            </button>
            <button type="button" onClick={() => decide("neither")}>
              {t("blind.neither")}
            </button>
          </div>
        </>
      )}
      <div className="actions">
        {at === null && (
          <button type="button" onClick={() => setTest(newTest(Math.random))}>
            {t("blind.again")}
          </button>
        )}
        <button
          type="button"
          className="quiet"
          onClick={() => {
            transport.hear("corrected");
            onEnd();
          }}
        >
          {at === null ? t("close") : t("blind.stop")}
        </button>
      </div>
    </section>
  );
}

function Result({ test }: { test: readonly Round[] }) {
  const found = outcome(test);
  return (
    <>
      <p className={styles.verdict}>{verdict(found)}</p>
      <p className="muted">
        {t("blind.counts", found)}
      </p>
    </>
  );
}
