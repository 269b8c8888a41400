// Which view the address names: the export is one page, and the server answers it for every address.

import { useCallback, useSyncExternalStore } from "react";

export type View = { name: "recordings" } | { name: "plugins"; plugin: string | null };

export function viewAt(path: string): View {
  const [name, plugin, ...more] = path.split("/").filter((part) => part !== "");
  if (name !== "plugins" || more.length > 0) return { name: "recordings" };
  return { name, plugin: plugin === undefined ? null : decoded(plugin) };
}

export function pathOf(view: View): string {
  if (view.name === "recordings") return "/";
  return view.plugin === null ? "/plugins" : `/plugins/${encodeURIComponent(view.plugin)}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

export function useView(): { view: View; go: (view: View) => void } {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  const go = useCallback((view: View) => {
    const to = pathOf(view);
    if (to === location.pathname) return;
    history.pushState(null, "", to);
    for (const listener of listeners) listener();
  }, []);
  return { view: viewAt(path), go };
}
