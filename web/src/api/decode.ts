// Turns JSON of unknown shape into values of known type. What the server sends is checked here,
// once; past this point the types can be believed.

import { visible } from "@/ui/words";

import type { components } from "./schema";

/** What docs/openapi.json describes, as `npm run api` makes it of that. */
export type Described = components["schemas"];

/** A described object as it comes: its names are known, and of their values nothing yet. */
type Raw<Name extends keyof Described> = Readonly<Partial<Record<Fields<Described[Name]>, unknown>>>;

/** Of several kinds of one thing, the names of all. */
type Fields<T> = T extends unknown ? keyof T : never;

export class UnreadableAnswer extends Error {
  override name = "UnreadableAnswer";
}

type Unknown = Readonly<Record<string, unknown>>;

export function refuse(where: string, value: unknown, wanted: string): never {
  const shown = JSON.stringify(value) as string | undefined;
  throw new UnreadableAnswer(`${where} is ${(shown ?? "missing").slice(0, 80)}, but should be ${wanted}`);
}

export function object(value: unknown, where: string): Unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(where, value, "an object");
  return value as Unknown;
}

/** One of the described objects: a name that the description does not have is an error of ours. */
export function described<Name extends keyof Described>(name: Name, value: unknown, where = ""): Raw<Name> {
  const fields: unknown = object(value, where === "" ? name : where);
  return fields as Raw<Name>;
}

/** Without characters that are not seen: what a plugin or a file is called is shown as it reads. */
export function text(value: unknown, where: string): string {
  return typeof value === "string" ? visible(value) : refuse(where, value, "a string");
}

export function number(value: unknown, where: string): number {
  return typeof value === "number" && Number.isFinite(value) ? value : refuse(where, value, "a number");
}

export function boolean(value: unknown, where: string): boolean {
  return typeof value === "boolean" ? value : refuse(where, value, "true or false");
}

export function list<T>(value: unknown, where: string, one: (value: unknown, where: string) => T): T[] {
  if (!Array.isArray(value)) refuse(where, value, "a list");
  return value.map((entry, index) => one(entry, `${where}[${index}]`));
}

/** A missing value and `null` are the same thing: nothing. */
export function optional<T>(
  value: unknown,
  where: string,
  one: (value: unknown, where: string) => T,
): T | null {
  return value === undefined || value === null ? null : one(value, where);
}

export function oneOf<const T extends string>(value: unknown, where: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === value);
  return found ?? refuse(where, value, `one of ${allowed.join(", ")}`);
}

/** RFC 3339. */
export function time(value: unknown, where: string): Date {
  const date = new Date(text(value, where));
  return Number.isNaN(date.getTime()) ? refuse(where, value, "a time") : date;
}
