// Which bytes ran: a plugin's version and its digest.

import { object, text } from "./decode";

export type PluginRef = { id: string; version: string; digest: string };

export function parsePluginRef(value: unknown, where: string): PluginRef {
  const plugin = object(value, where);
  return {
    id: text(plugin.id, `${where}.id`),
    version: text(plugin.version, `${where}.version`),
    digest: text(plugin.digest, `${where}.digest`),
  };
}
