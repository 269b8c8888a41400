// A step in words.

import type { Plugin } from "@/api/plugins";
import { check, words } from "@/params/values";
import { type DraftStep, MIX_FULL } from "./draft";

/** How many settings are named on a closed step. */
const NAMED_MAX = 3;

export function stepTitle(step: DraftStep, plugin: Plugin | undefined): string {
  if (step.external !== null) return `External service ${step.external}`;
  return plugin?.name ?? step.plugin ?? "Step";
}

/** What differs from the defaults: "Cutoff 100 Hz, half of it". */
export function stepSummary(step: DraftStep, plugin: Plugin | undefined): string {
  const set = (plugin?.params ?? []).flatMap((param) => {
    const entry = step.entries[param.id];
    if (entry === undefined) return [];
    const checked = check(param, entry);
    return "value" in checked ? [`${param.label} ${words(param, checked.value)}`] : [];
  });
  const more = set.length - NAMED_MAX;
  const parts = [
    ...set.slice(0, NAMED_MAX),
    ...(more > 0 ? [`${more} more`] : []),
    ...(step.mix === MIX_FULL ? [] : [`${step.mix} % of it`]),
    ...(step.version === null ? [] : [`version ${step.version}`]),
    ...(step.onFailure === "skip" ? ["may be left out"] : []),
    ...(step.delta ? ["what it removes is kept"] : []),
    ...(step.follow ? ["and what it recommends"] : []),
    ...(step.spare.music === 1 ? ["music stays as it is"] : []),
  ];
  return parts.length === 0 ? "As it comes" : parts.join(" · ");
}
