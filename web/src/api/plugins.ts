// Plugins as the catalogue lists them, and how each is read from JSON. The contract is
// plugins/wit/correction.wit; a manifest here is what the server made of a plugin's `describe`.

import { boolean, described, list, number, object, oneOf, optional, text, time } from "./decode";
import { type CheckReport, parseCheckReport } from "./check";

export const SCALES = ["linear", "logarithmic"] as const;
export type Scale = (typeof SCALES)[number];

export type Choice = { id: string; label: string };

export type FloatKind = { type: "float"; min: number; max: number; default: number; step: number | null; scale: Scale };
export type IntKind = { type: "int"; min: number; max: number; default: number };
export type ToggleKind = { type: "toggle"; default: boolean };
export type ChoiceKind = { type: "choice"; choices: Choice[]; default: string };

export type ParamKind = FloatKind | IntKind | ToggleKind | ChoiceKind;

export type Param = {
  id: string;
  label: string;
  help: string;
  unit: string;
  /** Heading; "A/B" nests, "" is none. */
  group: string;
  kind: ParamKind;
};

export type Plugin = {
  id: string;
  short_name: string;
  name: string;
  version: string;
  vendor: string;
  summary: string;
  license: string;
  params: Param[];
  passes: { analyze: boolean; process: boolean };
  channels: "independent" | "linked";
  /** 0 is any number. */
  max_channels: number;
  /** In Hz; none is any. */
  sample_rates: number[];
  block_quantum: number;
  extras: [string, string][];
  digest: string;
  params_schema: unknown;
  /** Every version that can be named in a chain. */
  versions: string[];
  origin: "built_in" | "published";
  published_at: Date | null;
};

export type VersionRow = {
  version: string;
  digest: string;
  published_at: Date | null;
  removed_at: Date | null;
};

/** A plugin at its newest version, with the history of all. */
export type PluginHistory = { plugin: Plugin; versions: VersionRow[] };

/** One version, with what the check found when it was published; built-in ones have no such report. */
export type PluginVersion = { plugin: Plugin; check: CheckReport | null };

export function parsePlugins(value: unknown): Plugin[] {
  return list(described("PluginPage", value, "plugins").items, "plugins.items", parsePlugin);
}

export function parsePlugin(value: unknown, where = "plugin"): Plugin {
  const plugin = described("Plugin", value, where);
  const id = text(plugin.id, `${where}.id`);
  const version = text(plugin.version, `${where}.version`);
  const passes = object(plugin.passes, `${where}.passes`);
  const versions = optional(plugin.versions, `${where}.versions`, (v, w) => list(v, w, versionText));
  return {
    id,
    short_name: optional(plugin.short_name, `${where}.short_name`, text) ?? shortName(id),
    name: text(plugin.name, `${where}.name`),
    version,
    vendor: text(plugin.vendor, `${where}.vendor`),
    summary: text(plugin.summary, `${where}.summary`),
    license: text(plugin.license, `${where}.license`),
    params: list(plugin.params, `${where}.params`, parseParam),
    passes: {
      analyze: boolean(passes.analyze, `${where}.passes.analyze`),
      process: boolean(passes.process, `${where}.passes.process`),
    },
    channels: oneOf(plugin.channels, `${where}.channels`, ["independent", "linked"]),
    max_channels: number(plugin.max_channels, `${where}.max_channels`),
    sample_rates: list(plugin.sample_rates, `${where}.sample_rates`, number),
    block_quantum: number(plugin.block_quantum, `${where}.block_quantum`),
    extras: optional(plugin.extras, `${where}.extras`, (v, w) => list(v, w, parseExtra)) ?? [],
    digest: text(plugin.digest, `${where}.digest`),
    params_schema: plugin.params_schema ?? null,
    versions: versions ?? [version],
    origin: plugin.origin === "published" ? "published" : "built_in",
    published_at: optional(plugin.published_at, `${where}.published_at`, time),
  };
}

/** A list of texts in the catalogue, of rows in a plugin's own view. */
function versionText(value: unknown, where: string): string {
  return typeof value === "string" ? value : text(object(value, where).version, `${where}.version`);
}

export function shortName(id: string): string {
  return id.slice(id.lastIndexOf(".") + 1);
}

function parseExtra(value: unknown, where: string): [string, string] {
  const [key, content] = list(value, where, text);
  return [key ?? "", content ?? ""];
}

export function parseParam(value: unknown, where = "param"): Param {
  const param = described("Param", value, where);
  return {
    id: text(param.id, `${where}.id`),
    label: text(param.label, `${where}.label`),
    help: text(param.help, `${where}.help`),
    unit: text(param.unit, `${where}.unit`),
    group: text(param.group, `${where}.group`),
    kind: parseKind(param, where),
  };
}

function parseKind(param: Readonly<Record<string, unknown>>, where: string): ParamKind {
  const type = oneOf(param.type, `${where}.type`, ["float", "int", "toggle", "choice"]);
  switch (type) {
    case "float":
      return {
        type,
        min: number(param.min, `${where}.min`),
        max: number(param.max, `${where}.max`),
        default: number(param.default, `${where}.default`),
        step: optional(param.step, `${where}.step`, number),
        scale: oneOf(param.scale, `${where}.scale`, SCALES),
      };
    case "int":
      return {
        type,
        min: number(param.min, `${where}.min`),
        max: number(param.max, `${where}.max`),
        default: number(param.default, `${where}.default`),
      };
    case "toggle":
      return { type, default: boolean(param.default, `${where}.default`) };
    case "choice":
      return {
        type,
        choices: list(param.choices, `${where}.choices`, (entry, w) => {
          const choice = object(entry, w);
          return { id: text(choice.id, `${w}.id`), label: text(choice.label, `${w}.label`) };
        }),
        default: text(param.default, `${where}.default`),
      };
  }
}

export function parsePluginHistory(value: unknown): PluginHistory {
  const rows = described("PluginHistory", value, "plugin").versions;
  return {
    plugin: parsePlugin(value),
    versions: list(rows, "plugin.versions", (entry, where) => {
      const row = described("PluginVersion", entry, where);
      return {
        version: text(row.version, `${where}.version`),
        digest: text(row.digest, `${where}.digest`),
        published_at: optional(row.published_at, `${where}.published_at`, time),
        removed_at: optional(row.removed_at, `${where}.removed_at`, time),
      };
    }),
  };
}

export function parsePluginVersion(value: unknown): PluginVersion {
  const check = optional(described("Plugin", value, "plugin").check, "plugin.check", parseCheckReport);
  return { plugin: parsePlugin(value), check };
}
