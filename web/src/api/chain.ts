// A chain as it stands in requests, presets and jobs. Values of parameters are read by whoever has the
// plugin's manifest.

import { boolean, described, list, number, object, oneOf, text } from "./decode";

export type ParamValue = number | boolean | string;

export type ChainStep = {
  plugin?: string;
  external?: string;
  version?: string;
  params?: Readonly<Record<string, unknown>>;
  mix?: number;
  on_failure?: "fail" | "skip";
  delta?: boolean;
  follow?: boolean;
  /** By what earlier steps have found, the part of the original that stays there. */
  spare?: Readonly<Record<string, number>>;
};

export const STEP_KEYS: readonly string[] = [
  "plugin",
  "external",
  "version",
  "params",
  "mix",
  "on_failure",
  "delta",
  "follow",
  "spare",
] satisfies (keyof ChainStep)[];

export type Chain = { steps: ChainStep[] };

/** What to do with a recording: one of the two. */
export type Wish = { preset: string } | { chain: Chain };

export function parseChain(value: unknown, where = "chain"): Chain {
  return { steps: list(described("Chain", value, where).steps, `${where}.steps`, parseStep) };
}

function parseStep(value: unknown, where: string): ChainStep {
  const given = described("Step", value, where);
  const step: ChainStep = {};
  if (given.plugin !== undefined) step.plugin = text(given.plugin, `${where}.plugin`);
  if (given.external !== undefined) step.external = text(given.external, `${where}.external`);
  if (given.version !== undefined) step.version = text(given.version, `${where}.version`);
  if (given.params !== undefined) step.params = object(given.params, `${where}.params`);
  if (given.mix !== undefined) step.mix = number(given.mix, `${where}.mix`);
  if (given.on_failure !== undefined) {
    step.on_failure = oneOf(given.on_failure, `${where}.on_failure`, ["fail", "skip"]);
  }
  if (given.delta !== undefined) step.delta = boolean(given.delta, `${where}.delta`);
  if (given.follow !== undefined) step.follow = boolean(given.follow, `${where}.follow`);
  if (given.spare !== undefined) {
    const parts = Object.entries(object(given.spare, `${where}.spare`));
    step.spare = Object.fromEntries(parts.map(([id, part]) => [id, number(part, `${where}.spare.${id}`)]));
  }
  return step;
}
