// Which view the address names: the export is one page, and the server answers it for every address
// whose last part has no dot. A plugin's id has dots, so it is in the query.

import { useCallback, useSyncExternalStore } from "react";

export type View = { name: "recordings" } | { name: "plugins"; plugin: string | null };

/** `address` is path and query. */
export function viewAt(address: string): View {
  const { pathname, searchParams } = new URL(address, "http://page");
  if (pathname.replace(/\/$/, "") !== "/plugins") return { name: "recordings" };
  return { name: "plugins", plugin: searchParams.get("id") };
}

export function addressOf(view: View): string {
  if (view.name === "recordings") return "/";
  return view.plugin === null ? "/plugins" : `/plugins?id=${encodeURIComponent(view.plugin)}`;
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

function current(): string {
  return location.pathname + location.search;
}

export function useView(): { view: View; go: (view: View) => void } {
  const address = useSyncExternalStore(subscribe, current);
  const go = useCallback((view: View) => {
    const to = addressOf(view);
    if (to === current()) return;
    history.pushState(null, "", to);
    for (const listener of listeners) listener();
  }, []);
  return { view: viewAt(address), go };
}
