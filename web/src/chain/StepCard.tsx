// One step of a chain: what it is, where it stands, and, opened, everything that can be set.

import { useState } from "react";
import { t } from "@/i18n";
import { numberIn, words } from "@/params/values";
import { useCatalogue } from "@/plugins/Catalogue";
import { findPlugin } from "@/plugins/find";
import type { Draft, DraftAction, DraftStep } from "./draft";
import { MainSlider } from "./MainSlider";
import { ParamForm } from "./ParamForm";
import { StepOptions } from "./StepOptions";
import { notesElsewhere } from "./pointers";
import { stepSummary, stepTitle } from "./title";
import styles from "./chain.module.css";

type Props = {
  id: string;
  draft: Draft;
  step: DraftStep;
  index: number;
  /** Opened when it appears. */
  startsOpen: boolean;
  act: (action: DraftAction) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
};

export function StepCard({ id, draft, step, index, startsOpen, act, onMove, onRemove }: Props) {
  const { plugins, manifestOf } = useCatalogue();
  const [chosen, setChosen] = useState<{ open: boolean; refusals: number } | null>(null);
  const plugin = manifestOf(step);
  const title = stepTitle(step, plugin ?? findPlugin(plugins, step.plugin));
  const refused = draft.notes.some((note) => note.step === step.key);
  // What was found wrong is shown, unless it was closed since.
  const open = chosen !== null && (chosen.refusals === draft.refusals || !refused) ? chosen.open : startsOpen || refused;
  const last = index === draft.steps.length - 1;
  return (
    <li className={step.off ? `${styles.step} ${styles.off}` : styles.step} data-step={step.plugin ?? step.external}>
      <div className={styles.stepHead}>
        <button
          type="button"
          id={`${id}-toggle`}
          className={styles.stepToggle}
          aria-expanded={open}
          aria-controls={`${id}-body`}
          onClick={() => setChosen({ open: !open, refusals: draft.refusals })}
        >
          <span className={styles.place} aria-hidden="true">
            {index + 1}
          </span>
          <span className={styles.stepNames}>
            <span>
              <span className="hidden">{t("chain.step", { place: index + 1 })}: </span>
              <bdi>{title}</bdi>
            </span>
            <span className={refused ? `error ${styles.summary}` : styles.summary}>
              {refused ? t("chain.wrong") : step.off ? t("chain.isOff") : stepSummary(step, plugin)}
            </span>
          </span>
        </button>
        <label className={styles.onOff}>
          <input
            type="checkbox"
            checked={!step.off}
            aria-label={t("chain.on", { title })}
            onChange={() => act({ type: "change", key: step.key, field: "off", change: { off: !step.off } })}
          />
        </label>
        <span className={styles.moves}>
          <button type="button" id={`${id}-up`} aria-label={t("chain.up", { title })} aria-disabled={index === 0} onClick={() => onMove(-1)}>
            <span aria-hidden="true">↑</span>
          </button>
          <button type="button" id={`${id}-down`} aria-label={t("chain.down", { title })} aria-disabled={last} onClick={() => onMove(1)}>
            <span aria-hidden="true">↓</span>
          </button>
          <button type="button" aria-label={t("chain.remove", { title })} onClick={onRemove}>
            <span aria-hidden="true">×</span>
          </button>
        </span>
      </div>
      {!open && <MainSlider step={step} title={title} act={act} />}
      <div id={`${id}-body`} hidden={!open}>
        {open && <StepBody id={id} draft={draft} step={step} act={act} />}
      </div>
    </li>
  );
}

type BodyProps = Pick<Props, "id" | "draft" | "step" | "act">;

function StepBody({ id, draft, step, act }: BodyProps) {
  const { phase, plugins, manifestOf } = useCatalogue();
  const newest = findPlugin(plugins, step.plugin);
  const plugin = manifestOf(step);
  const fields = new Set(["mix", "version", "delta", "follow", "spare", ...(plugin?.params ?? []).map((param) => `params/${param.id}`)]);
  const foreign = Object.entries(step.entries).filter(([param]) => !fields.has(`params/${param}`));
  return (
    <div className={styles.stepBody}>
      {notesElsewhere(draft.notes, step.key, fields).map((note) => (
        <p key={`${note.field} ${note.detail}`} className="error" tabIndex={-1} data-note="">
          {note.detail}
        </p>
      ))}
      {plugin !== undefined && plugin.summary !== "" && <p className="muted" dir="auto">{plugin.summary}</p>}
      {step.external !== null && (
        <p className="muted">
          {t("chain.external.what", { name: step.external })}
        </p>
      )}
      {step.plugin !== null && phase === "ready" && newest === undefined && (
        <p className="error">{t("chain.noPlugin", { name: step.plugin })}</p>
      )}
      {plugin !== undefined ? (
        <ParamForm
          id={`${id}-param`}
          plugin={plugin}
          step={step.key}
          entries={step.entries}
          notes={draft.notes}
          onEnter={(param, entry) => act({ type: "enter", key: step.key, param, entry })}
          onReset={(param) => act({ type: "reset", key: step.key, param })}
        />
      ) : (
        newest !== undefined && <p className="muted">{t("chain.version.looking", { version: step.version ?? "" })}</p>
      )}
      {plugin !== undefined && foreign.length > 0 && (
        <ul className={styles.foreign}>
          {foreign.map(([param, entry]) => (
            <li key={param}>
              <span>
                {t("chain.noParam", {
                  plugin: `${plugin.name} ${plugin.version}`,
                  param,
                  value: words(undefined, numberIn(entry) ?? entry),
                })}
              </span>
              <button type="button" onClick={() => act({ type: "reset", key: step.key, param })}>
                {t("chain.leaveOut")}
                <span className="hidden">: {param}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <StepOptions
        id={id}
        step={step}
        plugin={plugin}
        versions={newest?.versions ?? []}
        notes={draft.notes}
        onChange={(field, change) => act({ type: "change", key: step.key, field, change })}
      />
    </div>
  );
}
