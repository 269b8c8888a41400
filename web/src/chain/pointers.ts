// From the server's pointers (RFC 6901) to the fields they mean: "/chain/steps/1/params/cutoff-hz" is
// the second step's parameter.

import type { FieldError } from "@/api/problem";
import { sentence } from "@/api/problem";
import { type Draft, type Note, running } from "./draft";

/** Only what is said of the chain; the steps are those that were sent. */
export function notesFrom(errors: readonly FieldError[], sent: Draft): Note[] {
  return errors.flatMap((error): Note[] => {
    const [root, ...rest] = parts(error.pointer);
    if (root !== "chain") return [];
    const detail = sentence(error.detail);
    const [list, index, ...field] = rest;
    const step = list === "steps" && index !== undefined && /^\d+$/.test(index) ? running(sent)[Number(index)] : undefined;
    if (step === undefined) return [{ step: null, field: "", detail }];
    return [{ step: step.key, field: field.join("/"), detail }];
  });
}

function parts(pointer: string): string[] {
  return pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What was said against one field of a step. */
export function noteAt(notes: readonly Note[], step: string | null, field: string): string | null {
  const found = notes.filter((note) => note.step === step && note.field === field).map((note) => note.detail);
  return found.length === 0 ? null : found.join(" ");
}

/** What was said against a step and has no field of its own to stand at. */
export function notesElsewhere(notes: readonly Note[], step: string, fields: ReadonlySet<string>): Note[] {
  return notes.filter((note) => note.step === step && !fields.has(note.field));
}
