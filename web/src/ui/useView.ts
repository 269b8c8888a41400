// Which view the address names: the export is one page, and the server answers it for the addresses that are listed in
// server/src/page/assets.rs. A plugin's id is in the query.

import { useCallback, useSyncExternalStore } from "react";
import { BASE } from "@/base";

export type View = { name: "recordings" } | { name: "plugins"; plugin: string | null };

/** `address` is path and query; it may begin with the path under which we are served. */
export function viewAt(address: string, base = BASE): View {
  const { pathname, searchParams } = new URL(address, "http://page");
  const inside = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname;
  if (inside.replace(/\/$/, "") !== "/plugins") return { name: "recordings" };
  return { name: "plugins", plugin: searchParams.get("id") };
}

export function addressOf(view: View, base = BASE): string {
  if (view.name === "recordings") return `${base}/`;
  return view.plugin === null ? `${base}/plugins` : `${base}/plugins?id=${encodeURIComponent(view.plugin)}`;
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
