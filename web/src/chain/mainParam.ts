// The one thing of a step that most people would turn.

import type { FloatKind, IntKind, Param, Plugin } from "@/api/plugins";
import { MIX } from "./draft";

/** By short name; of others it is the first number that they have. */
const MAIN: Readonly<Record<string, string>> = {
  "de-ess": "max-reduction-db",
  declick: "sensitivity",
  declip: "most-db",
  denoise: "strength",
  "denoise-best": "strength",
  dereverb: "strength",
  gain: "gain-db",
  highpass: "cutoff-hz",
  loudness: "target-lufs",
};

export type NumberParam = Param & { kind: FloatKind | IntKind };

/** `MIX` itself where it has no number; null where a step changes nothing that is heard. */
export function mainParam(plugin: Plugin | undefined): NumberParam | null {
  if (plugin?.passes.process !== true) return null;
  const wanted = MAIN[plugin.short_name];
  const numbers = plugin.params.filter(isNumber);
  return numbers.find(({ id }) => id === wanted) ?? (wanted === undefined ? numbers[0] : undefined) ?? mix;
}

function isNumber(param: Param): param is NumberParam {
  return param.kind.type === "float" || param.kind.type === "int";
}

const mix = MIX as NumberParam;

export function isMix(param: Param): boolean {
  return param === MIX;
}
