// The decision at a glance: one sentence, what was heard, what was done, and three numbers with their target.

import type { Report } from "@/api/report";
import { type Key, t } from "@/i18n";
import { withoutCode } from "@/findings/voice";
import { sentence } from "@/api/problem";
import { level } from "@/ui/words";
import { type Gauge, type Said, gaugesOf, placeOn, verdictOf } from "./verdict";
import styles from "./verdict.module.css";

export function Headline({ report }: { report: Report }) {
  return (
    <h2 id="verdict" className={styles.headline}>
      {verdictOf(report).headline}
    </h2>
  );
}

export function VerdictView({ report }: { report: Report }) {
  const { heard, did } = verdictOf(report);
  const missed = report.targets.filter(({ met, why_not }) => !met && why_not !== null);
  return (
    <section className={styles.verdict} aria-labelledby="verdict">
      <div className={styles.told}>
        <SaidList title={t("verdict.heard")} said={heard} none={t("verdict.heard.none")} />
        <SaidList title={t("verdict.did")} said={did} none={t("verdict.did.none")} />
      </div>
      <ul className={styles.gauges} aria-label={t("targets")}>
        {gaugesOf(report).map((gauge) => (
          <GaugeView key={gauge.key} gauge={gauge} />
        ))}
      </ul>
      {missed.map((target) => (
        <p key={target.what} className={`note ${styles.missed}`}>
          {t(`target.${target.what}`)}: {sentence(withoutCode(target.why_not ?? ""))}
        </p>
      ))}
    </section>
  );
}

function SaidList({ title, said, none }: { title: string; said: readonly Said[]; none: string }) {
  return (
    <div className={styles.said}>
      <h3>{title}</h3>
      {said.length === 0 ? (
        <p className="muted">{none}</p>
      ) : (
        <ul>
          {said.map(({ key, words, good }) => (
            <li key={key} data-good={good}>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d={good ? "M3 8.500l3.500 3.500L13 4.500" : "M8 3v6M8 11.500v1.500"} />
              </svg>
              {words}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const LENGTH = 200;

function GaugeView({ gauge }: { gauge: Gauge }) {
  const { key, unit, before, after, target, met } = gauge;
  const x = (value: number) => 6 + placeOn(gauge, value) * (LENGTH - 12);
  return (
    <li className={styles.gauge} data-target={key === "peak" ? "true_peak" : key} data-met={met ?? undefined}>
      <p className={styles.name}>
        {t(`gauge.${key}`)}
        {met !== null && <span className={met ? styles.met : styles.notMet}>{t(met ? "target.met" : "target.notMet")}</span>}
      </p>
      <p className={styles.values}>
        <span className={styles.before}>{before === null ? t("none") : level(before, "")}</span>
        <span aria-label={t("gauge.to")} role="img">
          →
        </span>
        <strong>{after === null ? t("none") : level(after, unit)}</strong>
      </p>
      <svg className={styles.scale} viewBox={`0 0 ${LENGTH} 16`} preserveAspectRatio="xMinYMid meet" aria-hidden="true">
        <path className={styles.track} d={`M6 8H${LENGTH - 6}`} />
        {target !== null && <path className={styles.target} d={`M${x(target)} 1V15`} />}
        {before !== null && after !== null && <path className={styles.way} d={`M${x(before)} 8H${x(after)}`} />}
        {before !== null && <circle className={styles.from} cx={x(before)} cy="8" r="4" />}
        {after !== null && <circle className={styles.at} cx={x(after)} cy="8" r="5" />}
      </svg>
      <p className="fine">
        {t(`gauge.${key}.why` satisfies Key)}
        {target !== null && ` ${t(`gauge.target.${key === "peak" ? "peak" : "loudness"}`, { target: level(target, unit) })}`}
      </p>
    </li>
  );
}
