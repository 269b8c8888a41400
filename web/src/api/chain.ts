// A chain as it stands in requests, presets and jobs. Read loosely where the server checks anyway:
// what people paste may be wrong, and the server says so with a pointer.

import { list, object, text } from "./decode";

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
};

export type Chain = { steps: ChainStep[] };

/** What to do with a recording: one of the two. */
export type Wish = { preset: string } | { chain: Chain };

export function parseChain(value: unknown, where = "chain"): Chain {
  return { steps: list(object(value, where).steps, `${where}.steps`, parseStep) };
}

function parseStep(value: unknown, where: string): ChainStep {
  const given = object(value, where);
  const step: ChainStep = {};
  if (given.plugin !== undefined) step.plugin = text(given.plugin, `${where}.plugin`);
  if (given.external !== undefined) step.external = text(given.external, `${where}.external`);
  if (given.version !== undefined) step.version = text(given.version, `${where}.version`);
  if (given.params !== undefined) step.params = object(given.params, `${where}.params`);
  if (typeof given.mix === "number") step.mix = given.mix;
  if (given.on_failure === "fail" || given.on_failure === "skip") step.on_failure = given.on_failure;
  if (given.delta === true) step.delta = true;
  if (given.follow === true) step.follow = true;
  return step;
}
