// Which chain a recording goes through: a preset, one that was remembered, or one built here.

import { useCallback, useEffect, useReducer } from "react";
import { type Chain, type ChainStep, type Wish, parseChain } from "@/api/chain";
import type { FieldError } from "@/api/problem";
import type { Preset } from "@/api/types";
import { useCatalogue } from "@/plugins/Catalogue";
import { type Draft, type DraftAction, EMPTY, chainOf, draftOf, troubles } from "./draft";
import { beginHistory, reduceHistory } from "./history";
import { OWN, SAVED, choiceAmong, savedName } from "./choice";
import { notesFrom } from "./pointers";
import { type SavedChain, useSavedChains } from "./saved";

export type ChainChoice = {
  presets: readonly Preset[];
  saved: readonly SavedChain[];
  /** A preset's name, `own:`, or `saved:` and a name. */
  value: string;
  choose: (value: string) => void;
  /** The chain under edit goes by another name from now on. */
  keepAs: (value: string) => void;
  /** Opens a chain in the editor. */
  begin: (chain: Chain) => void;
  /** Opens the chosen preset's chain in the editor. */
  change: () => void;
  /** The chain under edit; null where a preset is chosen. */
  draft: Draft | null;
  act: (action: DraftAction) => void;
  /** Takes back the last change; null where there is none. */
  undo: (() => void) | null;
  /** Back to what it began with. */
  reset: () => void;
  externals: readonly string[];
  /** Plugins whose recommendations presets follow: added by hand they are followed as well. */
  followed: readonly string[];
  /** What to send; null where something has to be changed first, which is then shown. */
  wish: () => Wish | null;
  /** Shows what the server said against the chain. */
  refuse: (errors: readonly FieldError[]) => void;
};

type Options = {
  presets: readonly Preset[];
  wanted: string;
  setWanted: (value: string) => void;
  /** The chain to begin one's own with. */
  initial: () => Chain | null;
  /** Keeps one's own chain as it is edited. */
  keep?: (chain: Chain) => void;
};

export function useChainChoice({ presets, wanted, setWanted, initial, keep }: Options): ChainChoice {
  const { manifestOf } = useCatalogue();
  const { saved } = useSavedChains();
  const value = choiceAmong(presets, saved, wanted);
  const name = savedName(value);
  const [history, act] = useReducer(reduceHistory, null, () => beginHistory(firstDraft(saved, name, initial)));
  const draft = history.now;
  const edited = value === OWN || name !== null;

  useEffect(() => {
    if (value === OWN) keep?.(chainOf(draft, manifestOf));
  }, [value, draft, manifestOf, keep]);

  const choose = useCallback(
    (next: string) => {
      const chain = saved.find((entry) => SAVED + entry.name === next)?.chain;
      if (chain !== undefined) act({ type: "replace", chain });
      else if (next === OWN && name !== null) act({ type: "replace", chain: initial() ?? { steps: [] } });
      setWanted(next);
    },
    [saved, name, initial, setWanted],
  );

  const begin = (chain: Chain) => {
    act({ type: "replace", chain });
    setWanted(OWN);
  };

  const wish = (): Wish | null => {
    if (!edited) return { preset: value };
    const notes = troubles(draft, manifestOf);
    if (notes.length === 0) return { chain: chainOf(draft, manifestOf) };
    act({ type: "refused", notes });
    return null;
  };

  return {
    presets,
    saved,
    value,
    choose,
    keepAs: setWanted,
    begin,
    change: () => begin(presets.find((preset) => preset.name === value)?.chain ?? { steps: [] }),
    draft: edited ? draft : null,
    act,
    undo: history.before.length === 0 ? null : () => act({ type: "undo" }),
    reset: () => act({ type: "replace", chain: initial() ?? { steps: [] } }),
    externals: named(presets, (step) => step.external),
    followed: named(presets, (step) => (step.follow === true ? step.plugin : undefined)),
    wish,
    refuse: (errors) => {
      const notes = notesFrom(errors, draft);
      if (notes.length > 0) act({ type: "refused", notes });
    },
  };
}

function firstDraft(saved: readonly SavedChain[], name: string | null, initial: () => Chain | null): Draft {
  const chain = saved.find((entry) => entry.name === name)?.chain ?? initial();
  return chain === null ? EMPTY : draftOf(chain);
}

/** What presets use is there: services, analysers that recommend. */
function named(presets: readonly Preset[], nameOf: (step: ChainStep) => string | undefined): string[] {
  const names = presets.flatMap((preset) => preset.chain.steps.map(nameOf));
  return [...new Set(names.filter((name) => name !== undefined))];
}

const KEY = "retake.chain";

/** One's own chain as it was left. */
export function keptChain(): Chain | null {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === null ? null : parseChain(JSON.parse(stored));
  } catch {
    return null;
  }
}

export function keepChain(chain: Chain): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(chain));
  } catch {
    // Forbidden or full: it lasts until reload.
  }
}
