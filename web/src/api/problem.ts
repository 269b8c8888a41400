// What went wrong, as the server says it (RFC 9457) or as the page finds it, and what a person can
// do next. A failed request and a failed job carry the same object.

import { type PluginRef, parsePluginRef } from "./pluginRef";
import { described, list, number, optional, text } from "./decode";

export type FieldError = { detail: string; pointer: string };

export type Problem = {
  /** `/problems/<slug>`; the slug never changes, the words may. */
  type: string;
  title: string;
  status: number;
  detail: string;
  errors: FieldError[];
  request_id: string | null;
  /** What was running when a step failed. */
  plugins: PluginRef[];
  /** The last lines that a failed step's plugin logged, for its author. */
  log: string[];
};

/** A request that was answered with a problem. */
export class RequestFailed extends Error {
  override name = "RequestFailed";
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** A request that got no answer at all. */
export class ServerUnreachable extends Error {
  override name = "ServerUnreachable";
}

export function parseProblem(value: unknown, where = "problem"): Problem {
  const problem = described("Problem", value, where);
  return {
    type: text(problem.type, `${where}.type`),
    title: text(problem.title, `${where}.title`),
    status: number(problem.status, `${where}.status`),
    detail: text(problem.detail, `${where}.detail`),
    errors: optional(problem.errors, `${where}.errors`, (v, w) => list(v, w, parseFieldError)) ?? [],
    request_id: optional(problem.request_id, `${where}.request_id`, text),
    plugins: optional(problem.plugins, `${where}.plugins`, (v, w) => list(v, w, parsePluginRef)) ?? [],
    log: optional(problem.log, `${where}.log`, (v, w) => list(v, w, text)) ?? [],
  };
}

function parseFieldError(value: unknown, where: string): FieldError {
  const error = described("FieldError", value, where);
  return { detail: text(error.detail, `${where}.detail`), pointer: text(error.pointer, `${where}.pointer`) };
}

/** The problem in an error answer's body, or one made from the status where a proxy spoke instead. */
export function problemFromBody(status: number, body: string): Problem {
  try {
    return parseProblem(JSON.parse(body));
  } catch {
    return {
      type: "about:blank",
      title: `The server answered ${status}`,
      status,
      detail: `the answer was ${status} without an explanation`,
      errors: [],
      request_id: null,
      plugins: [],
      log: [],
    };
  }
}

export function slugOf(problem: Problem): string {
  return problem.type.startsWith("/problems/") ? problem.type.slice("/problems/".length) : "";
}

const ANOTHER_RECORDING = "Send it as WebM, Ogg, MP4, WAV, FLAC, MP3 or AIFF, or record it here.";
const LATER = "Nothing is wrong with your recording: try again in a few minutes.";

const NEXT_STEPS: Readonly<Record<string, string>> = {
  "not-audio": ANOTHER_RECORDING,
  "unknown-codec": ANOTHER_RECORDING,
  "unsupported-stream": ANOTHER_RECORDING,
  "too-much-scratch": "Cut it into parts and send them one by one.",
  "damaged-audio": "Export or record it again; if it plays elsewhere, try another format.",
  "empty-audio": "Check that the right microphone is chosen and not muted, then record again.",
  "no-such-track": "Correct it again with another track, or leave the choice to the server.",
  "too-large": "Send a shorter recording, or one in a compressed format such as Opus or MP3.",
  "too-long": "Cut it into parts and send them one by one.",
  "storage-full": "Delete recordings you no longer need, then send it again.",
  "step-failed": "Correct it again without that step, or with another preset.",
  "step-crashed": "Correct it again without that step, or with another preset.",
  "step-over-budget": "Correct it again without that step.",
  "step-harmful": "Correct it again with other settings of that step, or without it.",
  "deadline-exceeded": "Correct it again, or send a shorter recording.",
  "admin-key-needed": "Forget the key that this tab holds, and enter the right one.",
  "plugin-refused": "Mend what the report below names, then publish it again.",
  "plugin-version-exists": "Give the plugin a higher version, then publish it again.",
  "plugin-built-in": "Publish a higher version instead: chains then get that.",
  "external-unavailable": "Correct it again later, or with a preset that needs no external service.",
  "external-refused": "Correct it again with a preset that needs no external service.",
  "external-invalid": "Correct it again with a preset that needs no external service.",
  "unknown-preset": "Reload the page and choose a preset from the list.",
  "too-many-requests": "Wait a minute, then try again.",
  "request-timeout": "Check your connection, then send it again.",
  "not-found": "It may have been deleted, in another tab perhaps. Reload the page.",
  "already-ended": "Reload the page to see how it ended.",
  unauthenticated: "Allow cookies for this site and reload the page.",
  "foreign-origin": "Open the page at its own address and try again.",
};

/** What the person in front of the page can do about it. */
export function nextStep(problem: Problem): string {
  const known = NEXT_STEPS[slugOf(problem)];
  if (known !== undefined) return known;
  if (problem.status >= 500) return LATER;
  if (problem.errors.length > 0) return "Change what is named above, then try again.";
  return "Try again; if it stays so, tell whoever runs this server.";
}

/** A sentence: starts with a capital letter, ends with a full stop. The API's details do neither. */
export function sentence(words: string): string {
  const trimmed = words.trim();
  if (trimmed === "") return "";
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}

/** What to show for anything that was thrown by the API client. */
export type Trouble = { title: string; detail: string; next: string; request_id: string | null };

export function troubleOf(problem: Problem): Trouble {
  const details = [problem.detail, ...problem.errors.map((error) => error.detail)];
  return {
    title: problem.title,
    detail: [...new Set(details.map(sentence))].join(" "),
    next: nextStep(problem),
    request_id: problem.request_id,
  };
}

export function describe(error: unknown): Trouble {
  if (error instanceof RequestFailed) return troubleOf(error.problem);
  if (error instanceof ServerUnreachable) {
    return {
      title: "The server cannot be reached",
      detail: "No answer came back.",
      next: "Check your connection, then try again. What you recorded is still here.",
      request_id: null,
    };
  }
  return {
    title: "Something went wrong in the page",
    detail: sentence(error instanceof Error ? error.message : String(error)),
    next: "Reload the page and try again.",
    request_id: null,
  };
}
