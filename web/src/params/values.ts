// Parameter values as they are typed, as they are sent, and as they are read.

import type { ParamValue } from "@/api/chain";
import type { Param } from "@/api/plugins";

const MINUS = "\u2212";

/** What stands in a field: text while it is typed, also where it means no number yet. */
export type Entry = string | boolean;

export function defaultOf(param: Param): Entry {
  return entryOf(param.kind.default);
}

export function entryOf(value: ParamValue): Entry {
  return typeof value === "number" ? String(value) : value;
}

export type Checked = { value: ParamValue } | { trouble: string };

/** The value that an entry means, or what is wrong with it. The server judges by the same rules. */
export function check(param: Param, entry: Entry): Checked {
  const { kind } = param;
  switch (kind.type) {
    case "toggle":
      return typeof entry === "boolean" ? { value: entry } : { trouble: `${param.label} is on or off.` };
    case "choice":
      if (typeof entry === "string" && kind.choices.some((choice) => choice.id === entry)) return { value: entry };
      return { trouble: `“${entry}” is not one of: ${kind.choices.map((choice) => choice.label).join(", ")}.` };
    case "float":
    case "int": {
      const value = numberIn(entry);
      const range = `from ${shown(kind.min)} to ${shown(kind.max, param.unit)}`;
      if (value === null) return { trouble: `${param.label} is a number ${range}${nothing(entry)}` };
      if (value < kind.min || value > kind.max) return { trouble: `${shown(value, param.unit)} is outside: it goes ${range}.` };
      if (kind.type === "int" && !Number.isInteger(value)) return { trouble: `${shown(value)} is not a whole number.` };
      return { value };
    }
  }
}

function nothing(entry: Entry): string {
  return entry === "" ? "; nothing is entered." : `; “${String(entry).slice(0, 40)}” is none.`;
}

/** Takes a comma for the point and a typographic minus, as people type and paste them. */
export function numberIn(entry: Entry): number | null {
  if (typeof entry !== "string") return null;
  const plain = entry.trim().replace(MINUS, "-").replace(",", ".");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}

/** "−16 LUFS", "80 Hz", "0.9". */
export function shown(value: number, unit = ""): string {
  const digits = String(Number(value.toPrecision(6))).replace("-", MINUS);
  return unit === "" ? digits : `${digits} ${unit}`;
}

/** A value in words: the choice's label, on or off, the number with its unit. */
export function words(param: Param | undefined, value: ParamValue): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return shown(value, param?.unit ?? "");
  if (param?.kind.type === "choice") return param.kind.choices.find((choice) => choice.id === value)?.label ?? value;
  return value;
}
