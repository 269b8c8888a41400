// A blind test: two versions under the names A and B, equally loud, in a new order each round. Says at the end, in
// words, what the choices mean. No DOM, no sound.

import { number, t } from "@/i18n";
import type { OneTrack } from "../sound/trackChoice";

export const ROUNDS = 8;

export type Round = { a: OneTrack; chosen: OneTrack | "neither" | null };

/** `random` gives 0 to 1, as Math.random. */
export function newTest(random: () => number, rounds = ROUNDS): Round[] {
  return Array.from({ length: rounds }, () => ({ a: random() < 0.5 ? "original" : "corrected", chosen: null }));
}

/** What is behind a letter. */
export function behind(round: Round, letter: "a" | "b"): OneTrack {
  if (letter === "a") return round.a;
  return round.a === "original" ? "corrected" : "original";
}

/** The round that is played: the first without a choice; null at the end. */
export function current(test: readonly Round[]): number | null {
  const at = test.findIndex(({ chosen }) => chosen === null);
  return at < 0 ? null : at;
}

export function choose(test: readonly Round[], chosen: "a" | "b" | "neither"): Round[] {
  const at = current(test);
  return test.map((round, index) =>
    index === at ? { ...round, chosen: chosen === "neither" ? chosen : behind(round, chosen) } : round,
  );
}

export type Outcome = { corrected: number; original: number; neither: number };

export function outcome(test: readonly Round[]): Outcome {
  const count = (wanted: Round["chosen"]) => test.filter(({ chosen }) => chosen === wanted).length;
  return { corrected: count("corrected"), original: count("original"), neither: count("neither") };
}

/** How likely it is to choose one of two so often, or more often, by tossing a coin. */
export function chance(chosen: number, of: number): number {
  let sum = 0;
  for (let k = chosen; k <= of; k += 1) sum += binomial(of, k);
  return sum / 2 ** of;
}

function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i += 1) value = (value * (n - k + i)) / i;
  return Math.round(value);
}

/** Rarer than this is not taken for chance. */
const RARE = 0.05;

export function verdict({ corrected, original, neither }: Outcome): string {
  const all = corrected + original + neither;
  const decided = corrected + original;
  const values = { corrected, original, all };
  if (decided < all / 2) return t("blind.same", values);
  const more = Math.max(corrected, original);
  const odds = chance(more, decided);
  if (odds > RARE) return t("blind.undecided", values);
  const once = number(Math.round(1 / odds));
  return corrected > original ? t("blind.corrected", { ...values, once }) : t("blind.original", { ...values, once });
}
