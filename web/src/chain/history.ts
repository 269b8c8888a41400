// A draft with what it was before, to go back to. A slider that is drawn makes one step back, not a hundred.

import { type Draft, type DraftAction, reduceDraft } from "./draft";

export type History = {
  now: Draft;
  /** The newest last. */
  before: readonly Draft[];
  /** What changes this again makes no step of its own. */
  lasting: string | null;
};

export type HistoryAction = DraftAction | { type: "undo" };

const STEPS_BACK_MAX = 100;

export function beginHistory(draft: Draft): History {
  return { now: draft, before: [], lasting: null };
}

export function reduceHistory(history: History, action: HistoryAction): History {
  if (action.type === "undo") {
    const last = history.before.at(-1);
    if (last === undefined) return history;
    // Keys stay unused: what was added and taken back was another step.
    const now = { ...last, nextKey: Math.max(last.nextKey, history.now.nextKey), refusals: history.now.refusals };
    return { now, before: history.before.slice(0, -1), lasting: null };
  }
  const now = reduceDraft(history.now, action);
  // What was said against the steps is no change of theirs.
  if (action.type === "refused" || now === history.now) return { ...history, now };
  const lasting = lastingOf(action);
  const goesOn = lasting !== null && lasting === history.lasting;
  return { now, before: goesOn ? history.before : [...history.before, history.now].slice(-STEPS_BACK_MAX), lasting };
}

function lastingOf(action: DraftAction): string | null {
  if (action.type === "enter") return `${action.key} ${action.param}`;
  if (action.type === "change" && action.field === "mix") return `${action.key} mix`;
  return null;
}
