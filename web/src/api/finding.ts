// What the server found in a file, a recording or a correction: a code that never changes its meaning,
// the numbers that go with it, and an English sentence for whoever does not know the code.

import { described, optional, text } from "./decode";

export type FindingValue = number | string | boolean;

export type Finding = {
  /** Kebab-case; one of a newer server is not known here. */
  code: string;
  severity: "info" | "warning";
  params: Readonly<Record<string, FindingValue | readonly FindingValue[]>>;
  /** The server's sentence; like all its details without a capital letter and a full stop. */
  message: string;
};

/** Servers before 0.2 had bare sentences. */
export function parseFinding(value: unknown, where = "finding"): Finding {
  if (typeof value === "string") {
    return { code: "note", severity: "warning", params: { text: value }, message: value };
  }
  const finding = described("Finding", value, where);
  const code = text(finding.code, `${where}.code`);
  return {
    code,
    // What cannot be told from a warning is one.
    severity: finding.severity === "info" ? "info" : "warning",
    params: parseParams(finding.params),
    message: optional(finding.message, `${where}.message`, text) ?? code,
  };
}

function parseParams(value: unknown): Finding["params"] {
  if (typeof value !== "object" || value === null) return {};
  const entries = Object.entries(value).filter(
    (entry): entry is [string, FindingValue | FindingValue[]] =>
      isValue(entry[1]) || (Array.isArray(entry[1]) && entry[1].every(isValue)),
  );
  return Object.fromEntries(entries);
}

function isValue(value: unknown): value is FindingValue {
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean";
}
