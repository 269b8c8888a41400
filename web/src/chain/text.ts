// A chain as text: to copy into a program, and to paste from one.

import { type Chain, STEP_KEYS, parseChain } from "@/api/chain";

export function chainText(chain: Chain): string {
  return JSON.stringify(chain, null, 2);
}

/** Takes a chain, also within a request's body as `{"chain": …}`. */
export function chainFromText(text: string): { chain: Chain } | { trouble: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { trouble: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const whole = typeof value === "object" && value !== null && "chain" in value ? value.chain : value;
  try {
    const chain = parseChain(whole);
    const odd = unknownKey(whole);
    if (odd !== null) return { trouble: odd };
    const lost = chain.steps.findIndex((step) => (step.plugin === undefined) === (step.external === undefined));
    if (lost >= 0) return { trouble: `Step ${lost + 1} must have either “plugin” or “external”.` };
    return { chain };
  } catch (error) {
    return { trouble: `This is no chain: ${error instanceof Error ? error.message : String(error)}.` };
  }
}

/** Left out in silence, a mistyped key would seem to have been understood. */
function unknownKey(whole: unknown): string | null {
  const { steps } = whole as { steps: readonly object[] };
  for (const [index, step] of steps.entries()) {
    const odd = Object.keys(step).find((key) => !STEP_KEYS.includes(key));
    if (odd !== undefined) return `Step ${index + 1} has “${odd}”; a step may have ${STEP_KEYS.join(", ")}.`;
  }
  return null;
}
