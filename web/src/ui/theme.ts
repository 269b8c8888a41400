// Light, dark, or as the system has it. The tokens do the rest.

import { useSyncExternalStore } from "react";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "retake.theme";
const listeners = new Set<() => void>();

function stored(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === text) ?? "system";
  } catch {
    return "system";
  }
}

let current: Theme | null = null;

function theme(): Theme {
  current ??= stored();
  return current;
}

export function applyTheme(wanted: Theme = theme()): void {
  const root = document.documentElement;
  if (wanted === "system") delete root.dataset.theme;
  else root.dataset.theme = wanted;
}

export function setTheme(wanted: Theme): void {
  current = wanted;
  applyTheme(wanted);
  try {
    localStorage.setItem(KEY, wanted);
  } catch {
    // It lasts until reload then.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, theme);
}
