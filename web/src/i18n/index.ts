// The page's words, by key, in the chosen language. English comes with the page, another language when it is chosen.

import { createInstance } from "i18next";
import { useSyncExternalStore } from "react";
import type { later } from "./en";
import { send } from "./en/send";
import { shell } from "./en/shell";

/** What the first screen says. */
const first = { ...shell, ...send } as const;

type English = typeof first & typeof later;

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A count chooses its form: `x_one` and `x_other` are asked for as `x`. */
type Asked<Key extends string> = Key extends `${infer Base}_${"one" | "other"}` ? Base : Key;
export type Key = Asked<keyof English>;
export type Words = Readonly<Record<keyof English, string>>;

const KEY = "retake.language";

const i18n = createInstance();
void i18n.init({
  lng: "en",
  fallbackLng: "en",
  initAsync: false,
  showSupportNotice: false,
  resources: { en: { translation: first } },
  keySeparator: false,
  nsSeparator: false,
  // React writes text, never markup.
  interpolation: { escapeValue: false },
});

/** English ones: another language comes as a whole. */
export function addWords(words: Readonly<Record<string, string>>): void {
  i18n.addResources("en", "translation", words);
}

export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return i18n.t(key, values);
}

/** Whether there are words under a key that is made of something, a plugin's name say. */
export function told(key: string): key is Key {
  return i18n.exists(key, { lng: "en" });
}

export function language(): Language {
  return i18n.language === "de" ? "de" : "en";
}

const MODULES = { de: () => import("./de").then(({ de }) => de) } satisfies Record<Exclude<Language, "en">, () => Promise<Words>>;

/** Resolves when the page speaks it. */
export async function speak(wanted: Language): Promise<void> {
  if (wanted !== "en" && !i18n.hasResourceBundle(wanted, "translation")) {
    i18n.addResourceBundle(wanted, "translation", await MODULES[wanted]());
  }
  await i18n.changeLanguage(wanted);
  if (typeof document !== "undefined") document.documentElement.lang = wanted;
}

export function remember(wanted: Language): void {
  try {
    localStorage.setItem(KEY, wanted);
  } catch {
    // It lasts until reload then.
  }
}

/** Chosen before, else the first of the browser's that there is. */
export function preferred(): Language {
  try {
    const stored = localStorage.getItem(KEY);
    const known = LANGUAGES.find((one) => one === stored);
    if (known !== undefined) return known;
  } catch {
    // Then the browser's.
  }
  return navigator.languages.map((tag) => LANGUAGES.find((one) => tag.startsWith(one))).find((one) => one !== undefined) ?? "en";
}

function subscribe(listener: () => void): () => void {
  i18n.on("languageChanged", listener);
  return () => i18n.off("languageChanged", listener);
}

/** For whoever must be drawn again in another language: all of the page, by its root. */
export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, language);
}

/** The browser's own kind of the page's language: dates differ between kinds of English. */
export function locale(): string {
  const spoken = typeof navigator === "undefined" ? [] : (navigator.languages as readonly string[] | undefined);
  return spoken?.find((tag) => tag.startsWith(language())) ?? language();
}

/** "−16.1" as the language writes it. */
export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "negative",
  })
    .format(value)
    .replace("-", "\u2212");
}
