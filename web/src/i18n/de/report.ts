// Was die Schritte getan haben, und was gefunden wurde.

import type { report as english } from "../en/report";

export const report: Readonly<Record<keyof typeof english, string>> = {
  "steps.title": "Was jeder Schritt getan hat ({{steps}})",
  "steps.count_one": "ein Schritt",
  "steps.count_other": "{{count}} Schritte",
  "steps.skipped_one": "einer ausgelassen",
  "steps.skipped_other": "{{count}} ausgelassen",
  "step.measured": "Zahlen",
  "step.recommended": "empfohlen",
  "step.skipped": "ausgelassen",
  "step.failed": "Er ist gescheitert und wurde ausgelassen.",
  "step.removed": "Was er entfernt hat",
  "step.removed.by": "Was {{title}} entfernt hat",
  "step.authors": "Für Autoren von Plugins",
  "step.cost": "{{ms}} ms Rechenzeit, Verzögerung {{frames}} Frames.",
  "step.noLog": "Er hat nichts protokolliert.",
  "step.nothingLeft": "Es ist nichts mehr zu hören",
  "step.unchanged": "Pegel unverändert",
  "step.louder": "{{change}} lauter",
  "step.quieter": "{{change}} leiser",
  "step.cut_one": "{{s}} an einer Stelle herausgenommen",
  "step.cut_other": "{{s}} an {{count}} Stellen herausgenommen",
  yes: "ja",
  no: "nein",
  "findings.warnings": "Warnungen",
  "findings.infos": "Gut zu wissen ({{count}})",
};
