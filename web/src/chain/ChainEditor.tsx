// Builds a chain: steps in order, each with its form. By buttons alone, so by keyboard as well; what
// changes is said, and the focus goes along with what was moved.

import { useEffect, useId, useRef, useState } from "react";
import { useCatalogue } from "@/plugins/Catalogue";
import { findPlugin } from "@/plugins/find";
import { t } from "@/i18n";
import "@/i18n/en";
import { useAnnounce } from "@/ui/Announcer";
import { AddStep } from "./AddStep";
import { ChainText } from "./ChainText";
import { SaveChain } from "./SaveChain";
import { StepCard } from "./StepCard";
import { type Draft, type DraftAction, type DraftStep, type Place, STEPS_MAX, chainOf } from "./draft";
import { noteAt } from "./pointers";
import { stepTitle } from "./title";
import styles from "./chain.module.css";

type Props = {
  draft: Draft;
  act: (action: DraftAction) => void;
  undo: (() => void) | null;
  reset: () => void;
  /** External services that may be used. */
  externals: readonly string[];
  /** Plugins whose recommendations presets follow. */
  followed: readonly string[];
  /** Under which name it is remembered. */
  name: string | null;
  onSaved: (name: string) => void;
  onForgotten: () => void;
};

export default function ChainEditor({ draft, act, undo, reset, externals, followed, name, onSaved, onForgotten }: Props) {
  const id = useId();
  const announce = useAnnounce();
  const { plugins, manifestOf, want } = useCatalogue();
  const editor = useRef<HTMLDivElement>(null);
  /** The element that gets the focus once it is there. */
  const next = useRef<string | null>(null);
  const [added, setAdded] = useState<string | null>(null);
  useLeadToRefusals(editor, draft.refusals);

  useEffect(() => {
    for (const step of draft.steps) want(step);
    if (next.current === null) return;
    document.getElementById(next.current)?.focus();
    next.current = null;
  }, [draft.steps, want]);

  const titleOf = (step: DraftStep) => stepTitle(step, findPlugin(plugins, step.plugin));
  const stepId = (key: string) => `${id}-${key}`;

  const add = (place: Place, title: string) => {
    const key = String(draft.nextKey);
    setAdded(key);
    next.current = `${stepId(key)}-toggle`;
    act({ type: "add", place });
    announce(t("chain.added", { title, place: draft.steps.length + 1 }));
  };

  const move = (step: DraftStep, from: number, by: number) => {
    const to = from + by;
    if (to < 0 || to >= draft.steps.length) return;
    next.current = `${stepId(step.key)}-${by < 0 ? "up" : "down"}`;
    act({ type: "move", key: step.key, by });
    announce(t("chain.moved", { title: titleOf(step), place: to + 1, all: draft.steps.length }));
  };

  const remove = (step: DraftStep, index: number) => {
    const neighbour = draft.steps[index + 1] ?? draft.steps[index - 1];
    next.current = neighbour === undefined ? `${id}-steps` : `${stepId(neighbour.key)}-toggle`;
    act({ type: "remove", key: step.key });
    announce(t("chain.removed", { title: titleOf(step) }));
  };

  const wrong = noteAt(draft.notes, null, "");
  return (
    <div ref={editor} className={styles.editor} role="group" aria-label={t("adjust.own")}>
      <div className={styles.editorHead}>
        <p className="muted">{t("chain.how")}</p>
        <button type="button" className="quiet" aria-disabled={undo === null} onClick={undo ?? undefined}>
          {t("chain.undo")}
        </button>
        <button type="button" className="quiet" onClick={reset}>
          {t("chain.reset")}
        </button>
      </div>
      {wrong !== null && (
        <p className="error" tabIndex={-1} data-note="">
          {wrong}
        </p>
      )}
      <ol id={`${id}-steps`} className={styles.steps} tabIndex={-1} aria-label={t("chain.steps")}>
        {draft.steps.map((step, index) => (
          <StepCard
            key={step.key}
            id={stepId(step.key)}
            draft={draft}
            step={step}
            index={index}
            startsOpen={step.key === added}
            act={act}
            onMove={(by) => move(step, index, by)}
            onRemove={() => remove(step, index)}
          />
        ))}
      </ol>
      {draft.steps.length < STEPS_MAX ? (
        <AddStep externals={externals} followed={followed} onAdd={add} />
      ) : (
        <p className="muted">{t("chain.full", { max: STEPS_MAX })}</p>
      )}
      <SaveChain
        chain={chainOf(draft, manifestOf)}
        name={name}
        onSaved={onSaved}
        onForgotten={onForgotten}
      />
      <ChainText chain={chainOf(draft, manifestOf)} onChain={(chain) => act({ type: "replace", chain })} />
    </div>
  );
}

/** Each time the chain was refused, the focus goes to the first field that is to blame. */
function useLeadToRefusals(editor: { readonly current: HTMLElement | null }, refusals: number): void {
  const seen = useRef(refusals);
  useEffect(() => {
    if (seen.current === refusals) return;
    seen.current = refusals;
    editor.current?.querySelector<HTMLElement>('[aria-invalid="true"], [data-note]')?.focus();
  }, [editor, refusals]);
}
