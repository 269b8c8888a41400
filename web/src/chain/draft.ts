// A chain while it is edited: what stands in its fields, right or wrong, and what was said against it.

import type { Chain, ChainStep, ParamValue } from "@/api/chain";
import type { Param, Plugin } from "@/api/plugins";
import { t } from "@/i18n";
import { type Entry, check, entryOf, numberIn } from "@/params/values";

export type DraftStep = {
  /** Stays with the step while it is moved. */
  key: string;
  /** As written: an id or a short name; null for an external service. */
  plugin: string | null;
  external: string | null;
  /** Null is the newest there is when the job runs. */
  version: string | null;
  /** What was set; what is missing has its default. */
  entries: Readonly<Record<string, Entry>>;
  /** 0 to 100 %. */
  mix: string;
  onFailure: "fail" | "skip";
  delta: boolean;
  follow: boolean;
  spare: Readonly<Record<string, number>>;
  /** Here and not run. */
  off: boolean;
};

/** Something against a step's field, or, with `step` null, against the chain. Fields are called as in a pointer. */
export type Note = { step: string | null; field: string; detail: string };

export type Draft = {
  steps: readonly DraftStep[];
  notes: readonly Note[];
  /** How often it was found wrong: each time the first field that is leads. */
  refusals: number;
  nextKey: number;
};

export const MIX_FULL = "100";
export const STEPS_MAX = 16;

export const EMPTY: Draft = { steps: [], notes: [], refusals: 0, nextKey: 1 };

export type Place = { plugin: string; follow: boolean } | { external: string };

export type DraftAction =
  | { type: "replace"; chain: Chain }
  | { type: "add"; place: Place }
  | { type: "remove"; key: string }
  | { type: "move"; key: string; by: number }
  | { type: "enter"; key: string; param: string; entry: Entry }
  /** One parameter, or all of them, back to its default. */
  | { type: "reset"; key: string; param: string | null }
  | { type: "change"; key: string; field: string; change: Partial<DraftStep> }
  | { type: "refused"; notes: readonly Note[] };

export function reduceDraft(draft: Draft, action: DraftAction): Draft {
  switch (action.type) {
    case "replace":
      return { ...draftOf(action.chain, draft.nextKey), refusals: draft.refusals };
    case "add": {
      const step = { ...blank(String(draft.nextKey)), ...placed(action.place) };
      return { ...draft, steps: [...draft.steps, step], notes: ofSteps(draft.notes), nextKey: draft.nextKey + 1 };
    }
    case "remove": {
      const notes = ofSteps(draft.notes).filter((note) => note.step !== action.key);
      return { ...draft, steps: draft.steps.filter((step) => step.key !== action.key), notes };
    }
    case "move":
      return { ...draft, steps: moved(draft.steps, action.key, action.by), notes: ofSteps(draft.notes) };
    case "enter":
      return changed(draft, action.key, `params/${action.param}`, (step) => ({
        ...step,
        entries: { ...step.entries, [action.param]: action.entry },
      }));
    case "reset": {
      const field = action.param === null ? "params" : `params/${action.param}`;
      return changed(draft, action.key, field, (step) => ({
        ...step,
        entries: Object.fromEntries(
          Object.entries(step.entries).filter(([id]) => action.param !== null && id !== action.param),
        ),
      }));
    }
    case "change":
      return changed(draft, action.key, action.field, (step) => ({ ...step, ...action.change }));
    case "refused":
      return { ...draft, notes: action.notes, refusals: draft.refusals + 1 };
  }
}

/** What was said against a field ends when it is changed. */
function changed(draft: Draft, key: string, field: string, change: (step: DraftStep) => DraftStep): Draft {
  return {
    ...draft,
    steps: draft.steps.map((step) => (step.key === key ? change(step) : step)),
    notes: draft.notes.filter(
      (note) => note.step !== key || (note.field !== field && !note.field.startsWith(`${field}/`)),
    ),
  };
}

function ofSteps(notes: readonly Note[]): Note[] {
  return notes.filter((note) => note.step !== null);
}

function moved(steps: readonly DraftStep[], key: string, by: number): readonly DraftStep[] {
  const from = steps.findIndex((step) => step.key === key);
  const step = steps[from];
  const to = from + by;
  if (step === undefined || to < 0 || to >= steps.length) return steps;
  return steps.toSpliced(from, 1).toSpliced(to, 0, step);
}

function blank(key: string): DraftStep {
  return {
    key,
    plugin: null,
    external: null,
    version: null,
    entries: {},
    mix: MIX_FULL,
    onFailure: "fail",
    delta: false,
    follow: false,
    spare: {},
    off: false,
  };
}

function placed(place: Place): Partial<DraftStep> {
  return "plugin" in place ? place : { external: place.external };
}

export function draftOf(chain: Chain, firstKey = 1): Draft {
  const steps = chain.steps.map((step, index): DraftStep => ({
    ...blank(String(firstKey + index)),
    plugin: step.plugin ?? null,
    external: step.external ?? null,
    version: step.version ?? null,
    entries: Object.fromEntries(Object.entries(step.params ?? {}).map(([id, value]) => [id, entryOfAny(value)])),
    mix: String(Number(((step.mix ?? 1) * 100).toPrecision(12))),
    onFailure: step.on_failure ?? "fail",
    delta: step.delta ?? false,
    follow: step.follow ?? false,
    spare: step.spare ?? {},
  }));
  return { ...EMPTY, steps, nextKey: firstKey + steps.length };
}

/** What is no parameter value at all stays readable, and is refused by name. */
function entryOfAny(value: unknown): Entry {
  const plain = typeof value === "number" || typeof value === "boolean" || typeof value === "string";
  return plain ? entryOf(value) : JSON.stringify(value);
}

export type ManifestOf = (step: DraftStep) => Plugin | undefined;

/** The chain as it would be sent, with what is wrong in it. */
export function chainOf(draft: Draft, manifestOf: ManifestOf): Chain {
  return { steps: running(draft).map((step) => chainStep(step, manifestOf(step))) };
}

/** The steps that are sent, in their order. */
export function running({ steps }: Draft): readonly DraftStep[] {
  return steps.filter(({ off }) => !off);
}

function chainStep(step: DraftStep, plugin: Plugin | undefined): ChainStep {
  const params = Object.entries(step.entries).map(([id, entry]): [string, ParamValue] => {
    const param = plugin?.params.find((known) => known.id === id);
    return [id, param === undefined ? (numberIn(entry) ?? entry) : asSent(param, entry)];
  });
  const mix = numberIn(step.mix);
  return {
    ...(step.plugin === null ? { external: step.external ?? "" } : { plugin: step.plugin }),
    ...(step.version === null ? {} : { version: step.version }),
    ...(params.length === 0 ? {} : { params: Object.fromEntries(params) }),
    ...(step.mix === MIX_FULL || mix === null ? {} : { mix: Number((mix / 100).toPrecision(12)) }),
    ...(step.onFailure === "fail" ? {} : { on_failure: step.onFailure }),
    ...(step.delta ? { delta: true } : {}),
    ...(step.follow ? { follow: true } : {}),
    ...(Object.keys(step.spare).length === 0 ? {} : { spare: step.spare }),
  };
}

function asSent(param: Param, entry: Entry): ParamValue {
  const numeric = param.kind.type === "float" || param.kind.type === "int";
  return numeric ? (numberIn(entry) ?? entry) : entry;
}

export const MIX: Param = {
  id: "mix",
  label: "How much of it",
  help: "100 % is only the corrected sound, 0 % only the original.",
  unit: "%",
  group: "",
  kind: { type: "float", min: 0, max: 100, default: 100, step: 1, scale: "linear" },
};

/** What can be told to be wrong before anything is sent. */
export function troubles(draft: Draft, manifestOf: ManifestOf): Note[] {
  if (running(draft).length === 0) {
    const detail = draft.steps.length === 0 ? t("chain.empty") : t("chain.allOff");
    return [{ step: null, field: "", detail }];
  }
  if (draft.steps.length > STEPS_MAX) {
    return [{ step: null, field: "", detail: t("chain.tooMany", { max: STEPS_MAX, count: draft.steps.length }) }];
  }
  return running(draft).flatMap((step) => {
    const params = manifestOf(step)?.params ?? [];
    const fields: [Param, string, Entry][] = [[MIX, "mix", step.mix]];
    for (const param of params) {
      const entry = step.entries[param.id];
      if (entry !== undefined) fields.push([param, `params/${param.id}`, entry]);
    }
    return fields.flatMap(([param, field, entry]) => {
      const checked = check(param, entry);
      return "trouble" in checked ? [{ step: step.key, field, detail: checked.trouble }] : [];
    });
  });
}
