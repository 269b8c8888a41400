// Chains that a person gave a name, in this browser's storage, newest last. Several parts of the page
// show them at once, so they are read through one store.

import { useSyncExternalStore } from "react";
import { type Chain, parseChain } from "@/api/chain";
import { list, object, text } from "@/api/decode";

export type SavedChain = { name: string; chain: Chain };

const KEY = "retake.chains";
export const NAME_MAX = 60;
export const SAVED_MAX = 50;

/** What cannot be read any more is left out. */
export function parseSaved(stored: string | null): SavedChain[] {
  if (stored === null) return [];
  try {
    return list(JSON.parse(stored), "saved", (entry, where) => {
      const saved = object(entry, where);
      return { name: text(saved.name, `${where}.name`), chain: parseChain(saved.chain, `${where}.chain`) };
    });
  } catch {
    return [];
  }
}

/** With this chain under this name; the oldest go when there are too many. */
export function withSaved(saved: readonly SavedChain[], name: string, chain: Chain): SavedChain[] {
  const entry = { name: name.trim().slice(0, NAME_MAX), chain };
  const known = saved.some((other) => other.name === entry.name);
  const all = known ? saved.map((other) => (other.name === entry.name ? entry : other)) : [...saved, entry];
  return all.slice(-SAVED_MAX);
}

let current: readonly SavedChain[] | null = null;
const listeners = new Set<() => void>();

function snapshot(): readonly SavedChain[] {
  current ??= parseSaved(read());
  return current;
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function write(next: readonly SavedChain[]): void {
  current = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Forbidden or full: they last until reload.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  const onStorage = (event: StorageEvent) => {
    if (event.key !== KEY) return;
    current = null;
    listener();
  };
  listeners.add(listener);
  window.addEventListener("storage", onStorage);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", onStorage);
  };
}

export function useSavedChains(): {
  saved: readonly SavedChain[];
  save: (name: string, chain: Chain) => void;
  forget: (name: string) => void;
} {
  const saved = useSyncExternalStore(subscribe, snapshot);
  return { saved, save, forget };
}

function save(name: string, chain: Chain): void {
  write(withSaved(snapshot(), name, chain));
}

function forget(name: string): void {
  write(snapshot().filter((entry) => entry.name !== name));
}
