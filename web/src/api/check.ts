// What the conformance kit found in a plugin, and where an uploaded one stands.

import { type Described, boolean, described, list, number, object, oneOf, optional, text } from "./decode";
import { type Problem, parseProblem } from "./problem";

export const OUTCOMES = ["failed", "warned", "passed", "skipped"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type Check = Described["CheckReport"]["checks"][number];

export type CheckReport = {
  digest: string;
  passed: boolean;
  checks: Check[];
  /** Per audio second at 48 kHz mono; null where it could not be measured. */
  cost: Described["CheckReport"]["cost"];
};

export type Submission = {
  id: string;
  status: Described["Submission"]["status"];
  digest: string;
  plugin: { id: string; version: string } | null;
  error: Problem | null;
  check: CheckReport | null;
};

export function parseCheckReport(value: unknown, where = "check"): CheckReport {
  const report = described("CheckReport", value, where);
  return {
    digest: text(report.digest, `${where}.digest`),
    passed: boolean(report.passed, `${where}.passed`),
    checks: list(report.checks, `${where}.checks`, parseCheck),
    cost: optional(report.cost, `${where}.cost`, (v, w) => {
      const cost = object(v, w);
      return {
        realtime_factor: number(cost.realtime_factor, `${w}.realtime_factor`),
        memory_bytes: number(cost.memory_bytes, `${w}.memory_bytes`),
      };
    }),
  };
}

function parseCheck(value: unknown, where: string): Check {
  const check = object(value, where);
  return {
    id: text(check.id, `${where}.id`),
    title: text(check.title, `${where}.title`),
    outcome: oneOf(check.outcome, `${where}.outcome`, OUTCOMES),
    detail: text(check.detail, `${where}.detail`),
  };
}

export function parseSubmission(value: unknown): Submission {
  const submission = described("Submission", value, "submission");
  return {
    id: text(submission.id, "submission.id"),
    status: oneOf(submission.status, "submission.status", ["checking", "published", "refused"]),
    digest: text(submission.digest, "submission.digest"),
    plugin: optional(submission.plugin, "submission.plugin", (v, w) => {
      const plugin = object(v, w);
      return { id: text(plugin.id, `${w}.id`), version: text(plugin.version, `${w}.version`) };
    }),
    error: optional(submission.error, "submission.error", parseProblem),
    check: optional(submission.check, "submission.check", parseCheckReport),
  };
}
