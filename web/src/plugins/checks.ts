// Checks in the order in which they are worth reading.

import type { Check, Outcome } from "@/api/check";

/** Failures, then warnings; within each as they ran. What is in order comes last, out of the way. */
export function inReadingOrder(checks: readonly Check[]): { telling: Check[]; quiet: Check[] } {
  const those = (...outcomes: Outcome[]) => outcomes.flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  return { telling: those("failed", "warned"), quiet: those("passed", "skipped") };
}

/** "1 failed, 2 warnings, 14 passed." */
export function outcomeCounts(checks: readonly Check[]): string {
  const count = (outcome: Outcome) => checks.filter((check) => check.outcome === outcome).length;
  const warned = count("warned");
  const parts = [
    [count("failed"), "failed"],
    [warned, warned === 1 ? "warning" : "warnings"],
    [count("passed"), "passed"],
    [count("skipped"), "not checked"],
  ] as const;
  const named = parts.filter(([found]) => found > 0).map(([found, words]) => `${found} ${words}`);
  return named.length === 0 ? "Nothing was checked." : `${named.join(", ")}.`;
}
