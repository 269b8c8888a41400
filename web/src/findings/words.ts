// Findings as people read them: in the language's own words where it has some, else in the server's.

import type { Finding } from "@/api/finding";
import { sentence } from "@/api/problem";
import { en } from "./en";
import { type Voice, spoken } from "./voice";

/** What a language says to one code. */
export type Saying = {
  says: (voice: Voice) => string;
  /** What the person can do about it. */
  advice?: string;
  /** The words on a button that corrects the finding's other track. */
  correctTrack?: (voice: Voice) => string;
};

export type Language = {
  /** BCP 47, for `Intl`. */
  tag: string;
  findings: Readonly<Record<string, Saying>>;
};

export type FindingWords = { says: string; advice: string | null; correctTrack: { words: string; track: number } | null };

export function findingWords(finding: Finding, language: Language = en): FindingWords {
  const { tag, findings } = language;
  const saying = Object.hasOwn(findings, finding.code) ? findings[finding.code] : undefined;
  const says = saying === undefined ? null : spoken(tag, finding.params, saying.says);
  return {
    says: sentence(says ?? finding.message),
    advice: saying?.advice ?? null,
    correctTrack: otherTrack(finding, saying, tag),
  };
}

function otherTrack(finding: Finding, saying: Saying | undefined, tag: string): FindingWords["correctTrack"] {
  const track = finding.params.other;
  if (saying?.correctTrack === undefined || typeof track !== "number" || !Number.isInteger(track) || track < 1) return null;
  const words = spoken(tag, finding.params, saying.correctTrack);
  return words === null ? null : { words, track };
}

export type Sorted = { warnings: Finding[]; infos: Finding[] };

/** A job's warnings stand in its report as well: each is told once, in the order of the first mention. */
export function sorted(found: readonly Finding[]): Sorted {
  const once = new Map(found.map((finding) => [`${finding.code} ${finding.message}`, finding]));
  const all = [...once.values()];
  return {
    warnings: all.filter((finding) => finding.severity === "warning"),
    infos: all.filter((finding) => finding.severity === "info"),
  };
}
