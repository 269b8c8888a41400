// Finding a plugin: by the name a chain gives it, or by words a person types.

import type { Plugin } from "@/api/plugins";

export type Named = { plugin: string | null; version: string | null };

/** By id, or by short name where only one answers to it. */
export function findPlugin(plugins: readonly Plugin[], name: string | null): Plugin | undefined {
  if (name === null) return undefined;
  const byId = plugins.find((plugin) => plugin.id === name);
  if (byId !== undefined) return byId;
  const short = plugins.filter((plugin) => plugin.short_name === name);
  return short.length === 1 ? short[0] : undefined;
}

/** How a chain should call it: shortly where that is clear. */
export function nameInChain(plugins: readonly Plugin[], plugin: Plugin): string {
  return findPlugin(plugins, plugin.short_name) === plugin ? plugin.short_name : plugin.id;
}

export function versionKey(id: string, version: string): string {
  return `${id}@${version}`;
}

/** Those in which every word stands somewhere; names first, then what only the summary says. */
export function search(plugins: readonly Plugin[], query: string): Plugin[] {
  const wanted = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const inNames = (plugin: Plugin) => {
    const names = `${plugin.name} ${plugin.id}`.toLowerCase();
    return wanted.every((word) => names.includes(word)) ? 0 : 1;
  };
  return plugins
    .filter((plugin) => {
      const all = `${plugin.name} ${plugin.id} ${plugin.summary} ${plugin.vendor}`.toLowerCase();
      return wanted.every((word) => all.includes(word));
    })
    .sort((a, b) => inNames(a) - inNames(b) || a.name.localeCompare(b.name));
}

/** What a plugin says of itself beyond the contract's fields; null where it does not. */
export function extra(plugin: Plugin, key: string): string | null {
  return plugin.extras.find(([name]) => name === key)?.[1] ?? null;
}

export function mayShorten(plugin: Plugin | undefined): boolean {
  return plugin !== undefined && extra(plugin, "length") === "may-shorten";
}
