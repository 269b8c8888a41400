// The chain that a correction really went through, as one to begin with: what an analysing step recommended stands in
// its place, with the settings it ran with.

import type { Chain, ChainStep } from "@/api/chain";
import type { Report } from "@/api/report";

export function chainThatRan(asked: Chain | null, report: Pick<Report, "steps"> | null): Chain | null {
  if (asked === null) return null;
  const recommended = (report?.steps ?? [])
    .filter((step) => step.recommended)
    .map(({ step, params }): ChainStep => ({ plugin: step, params, on_failure: "skip" }));
  if (recommended.length === 0) return asked;
  return { steps: asked.steps.flatMap((step) => (step.follow === true ? recommended : [step])) };
}
