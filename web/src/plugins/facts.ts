// What a manifest means, in words.

import type { Param, Plugin } from "@/api/plugins";
import { shown, words } from "@/params/values";
import { dayAndTime } from "@/ui/words";

export function facts(plugin: Plugin): [string, string][] {
  const all: [string, string][] = [
    ["Id", plugin.id],
    ["Name in a chain", plugin.short_name],
    ["Version", plugin.version],
    ["From", plugin.vendor],
    ["Licence", plugin.license],
    ["What it does with audio", passes(plugin)],
    ["Channels", channels(plugin)],
    ["Sample rates", rates(plugin.sample_rates)],
    ["Works in blocks of", plugin.block_quantum === 1 ? "any length" : `multiples of ${plugin.block_quantum} frames`],
    ...plugin.extras.map(([key, value]): [string, string] => [promise(key), value]),
    ["Published", plugin.published_at === null ? "" : dayAndTime(plugin.published_at)],
    ["Digest (SHA-256)", plugin.digest],
  ];
  return all.filter(([, description]) => description !== "");
}

function passes({ passes: { analyze, process } }: Plugin): string {
  if (!process) return "Listens only, and reports what it finds";
  return analyze ? "Listens to the whole first, then corrects" : "Corrects as it goes";
}

function channels(plugin: Plugin): string {
  if (plugin.channels === "independent") return "Each on its own";
  return plugin.max_channels === 0 ? "All together" : `All together, at most ${plugin.max_channels}`;
}

function rates(hz: readonly number[]): string {
  return hz.length === 0 ? "Any" : hz.map((rate) => `${shown(rate / 1000)} kHz`).join(", ");
}

/** Well-known extras by what they promise. */
function promise(key: string): string {
  switch (key) {
    case "length":
      return "Length";
    case "level-change-db":
      return "Changes the level by (dB)";
    default:
      return key;
  }
}

/** "10 to 300 Hz, logarithmic, in steps of 1". */
export function range(param: Param): string {
  const { kind } = param;
  switch (kind.type) {
    case "toggle":
      return "on or off";
    case "choice":
      return kind.choices.map((choice) => choice.label).join(", ");
    case "int":
      return `${shown(kind.min)} to ${shown(kind.max, param.unit)}, whole numbers`;
    case "float": {
      const scale = kind.scale === "logarithmic" ? ", logarithmic" : "";
      const step = kind.step === null ? "" : `, in steps of ${shown(kind.step)}`;
      return `${shown(kind.min)} to ${shown(kind.max, param.unit)}${scale}${step}`;
    }
  }
}

export function defaultWords(param: Param): string {
  return words(param, param.kind.default);
}
