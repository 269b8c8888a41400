// Which view the address names: the export is one page, and the server answers it for the addresses that are listed in
// server/src/page/assets.rs. Everything that can be bookmarked, shared and gone back to is in the address.

import { useCallback, useSyncExternalStore } from "react";
import { BASE } from "@/base";

export type View =
  | { name: "start" }
  | { name: "recordings"; search: string; status: string; sort: string }
  /** Without a job its newest correction. */
  | { name: "recording"; id: string; job: string | null }
  | { name: "plugins"; plugin: string | null }
  | { name: "settings" }
  /** What somebody shared. */
  | { name: "shared"; token: string };

export const EVERYTHING: View = { name: "recordings", search: "", status: "", sort: "" };

/** `address` is path and query; it may begin with the path under which we are served. */
export function viewAt(address: string, base = BASE): View {
  const { pathname, searchParams } = new URL(address, "http://page");
  const inside = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname;
  const [first = "", second, more] = inside.replace(/^\//, "").replace(/\/$/, "").split("/");
  const asked = (name: string) => searchParams.get(name) ?? "";
  if (more !== undefined) return { name: "start" };
  if (first === "recordings" && second !== undefined) {
    return { name: "recording", id: decoded(second), job: searchParams.get("job") };
  }
  if (first === "s" && second !== undefined) return { name: "shared", token: decoded(second) };
  if (second !== undefined) return { name: "start" };
  switch (first) {
    case "recordings":
      return { name: "recordings", search: asked("q"), status: asked("status"), sort: asked("sort") };
    case "plugins":
      return { name: "plugins", plugin: searchParams.get("id") };
    case "settings":
      return { name: "settings" };
    default:
      return { name: "start" };
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function addressOf(view: View, base = BASE): string {
  switch (view.name) {
    case "start":
      return `${base}/`;
    case "recordings":
      return `${base}/recordings${query({ q: view.search, status: view.status, sort: view.sort })}`;
    case "recording":
      return `${base}/recordings/${encodeURIComponent(view.id)}${query({ job: view.job ?? "" })}`;
    case "plugins":
      return `${base}/plugins${query({ id: view.plugin ?? "" })}`;
    case "settings":
      return `${base}/settings`;
    case "shared":
      return `${base}/s/${encodeURIComponent(view.token)}`;
  }
}

function query(values: Readonly<Record<string, string>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== "");
  return given.length === 0 ? "" : `?${given.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

let moved = false;

/** Whether somebody went here within the page: then the focus goes along, to the heading. */
export function hasMoved(): boolean {
  return moved;
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

/** `replace` leaves no entry behind in the browser's history: while one types, say. */
export function go(view: View, { replace = false } = {}): void {
  const to = addressOf(view);
  if (to === current()) return;
  moved = true;
  const moves = view.name !== viewAt(current()).name;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  if (moves) window.scrollTo(0, 0);
  for (const listener of listeners) listener();
}

export function useView(): { view: View; go: (view: View) => void } {
  const address = useSyncExternalStore(subscribe, current);
  const to = useCallback((view: View) => go(view), []);
  return { view: viewAt(address), go: to };
}
