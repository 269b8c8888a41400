// The addresses of the plugins.

import { request } from "./client";
import {
  type Plugin,
  type PluginHistory,
  type PluginVersion,
  parsePluginHistory,
  parsePluginVersion,
  parsePlugins,
} from "./plugins";

type Signal = AbortSignal | undefined;

const segment = encodeURIComponent;

export async function listPlugins(signal?: Signal): Promise<Plugin[]> {
  return parsePlugins(await request("/plugins", { signal }));
}

export async function getPlugin(id: string, signal?: Signal): Promise<PluginHistory> {
  return parsePluginHistory(await request(`/plugins/${segment(id)}`, { signal }));
}

export async function getPluginVersion(id: string, version: string, signal?: Signal): Promise<PluginVersion> {
  return parsePluginVersion(await request(`/plugins/${segment(id)}/versions/${segment(version)}`, { signal }));
}
