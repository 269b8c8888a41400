// The numbers and names of a finding as a language writes them.

import type { Finding, FindingValue } from "@/api/finding";
import { MINUS } from "@/ui/words";

/** "other" is every language's; which of the rest it has, `Intl.PluralRules` knows. */
export type Forms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** Each asks for a parameter by its name. */
export type Voice = {
  number: (name: string, digits?: number) => string;
  /** "3 gaps" */
  count: (name: string, forms: Forms) => string;
  /** A length in milliseconds, whichever way: "20 ms", "1.25 s". */
  ms: (name: string) => string;
  /** Of a list, all of it: "1, 2 and 4". */
  text: (name: string) => string;
  /** A reason: the server puts a code for programs before the sentence. */
  reason: (name: string) => string;
  /** Whether the parameter is a list of two and more. */
  several: (name: string) => boolean;
};

/** What `say` makes of the parameters; null where one that it asks for is not there. */
export function spoken(language: string, params: Finding["params"], say: (voice: Voice) => string): string | null {
  let absent = 0;
  const missing = (): string => {
    absent += 1;
    return "";
  };
  const written = (value: number, digits: number) =>
    new Intl.NumberFormat(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      signDisplay: "negative",
    })
      .format(value)
      .replace("-", MINUS);
  const numeric = (name: string) => {
    const value = params[name];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  };
  const one = (value: FindingValue) => (typeof value === "number" ? plain(language, value) : printable(String(value)));

  const text = (name: string) => {
    const value = params[name];
    if (value === undefined) return missing();
    if (!isList(value)) return one(value);
    return new Intl.ListFormat(language, { type: "conjunction" }).format(value.map(one));
  };
  const voice: Voice = {
    number: (name, digits = 0) => {
      const value = numeric(name);
      return value === null ? missing() : written(value, digits);
    },
    count: (name, forms) => {
      const value = numeric(name);
      if (value === null) return missing();
      const form = forms[new Intl.PluralRules(language).select(value)] ?? forms.other;
      return `${written(value, 0)} ${form}`;
    },
    ms: (name) => {
      const value = numeric(name);
      if (value === null) return missing();
      const length = Math.abs(value);
      return length < 1000 ? `${plain(language, Math.round(length))} ms` : `${plain(language, length / 1000)} s`;
    },
    text,
    reason: (name) => withoutCode(text(name)),
    several: (name) => {
      const value = params[name];
      return value !== undefined && isList(value) && value.length > 1;
    },
  };
  const words = say(voice);
  return absent === 0 ? words : null;
}

/** "ceiling-first: the peaks leave no room" without the code. */
export function withoutCode(reason: string): string {
  return reason.replace(/^[a-z][a-z0-9_-]*: /, "");
}

function isList(value: Finding["params"][string]): value is readonly FindingValue[] {
  return Array.isArray(value);
}

function plain(language: string, value: number): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 2, signDisplay: "negative" })
    .format(value)
    .replace("-", MINUS);
}

/** A text may come from a file. */
function printable(value: string): string {
  return value.replaceAll(/\p{Cc}/gu, "");
}
