// Which bytes ran: a plugin's version and its digest.

import { type Described, described, text } from "./decode";

export type PluginRef = Described["PluginRef"];

export function parsePluginRef(value: unknown, where: string): PluginRef {
  const plugin = described("PluginRef", value, where);
  return {
    id: text(plugin.id, `${where}.id`),
    version: text(plugin.version, `${where}.version`),
    digest: text(plugin.digest, `${where}.digest`),
  };
}
