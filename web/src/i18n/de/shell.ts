// Was um die Ansichten herum ist.

import type { shell as english } from "../en/shell";

export const shell: Readonly<Record<keyof typeof english, string>> = {
  recording: "Aufnahme",
  "nav.label": "Ansichten",
  "nav.start": "Neu",
  "nav.recordings": "Aufnahmen",
  "nav.plugins": "Plugins",
  "nav.settings": "Einstellungen",
  "start.title": "Einmal sagen. Gut hören.",
  "start.what": "Rauschen, Brummen und Hall gehen, die Lautheit stimmt, und du hörst den Unterschied, bevor du es mitnimmst.",
  silence: "Stille",
  opening: "Wird geöffnet …",
  again: "Noch einmal",
  "try.next": "Nimm etwas auf oder wähle etwas, um {{plugin}} daran zu probieren.",
  "try.last": "{{plugin}} kann jetzt an {{recording}} probiert werden.",

  "recent.title": "Deine Aufnahmen",
  "recent.all": "Alle",
  "list.title": "Deine Aufnahmen",
  "list.behind": "Die Verbindung ist unterbrochen. Bis sie wieder da ist, wird alle paar Sekunden nachgesehen.",
  "list.looking": "Wird nachgesehen …",
  "list.nothing": "Noch nichts. Was du schickst, erscheint hier und bleibt, bis du es löschst.",
  "list.corrections_one": "eine Bearbeitung",
  "list.corrections_other": "{{count}} Bearbeitungen",
  deleted_one: "{{name}} wurde gelöscht.",
  deleted_other: "{{count}} Aufnahmen wurden gelöscht.",
  "deleted.undone": "Wieder da.",
  "status.queued": "Wartet",
  "status.running": "Läuft",
  "status.completed": "Fertig",
  "status.failed": "Gescheitert",
  "status.cancelled": "Abgebrochen",
  "status.stopping": "Hört auf",
  "status.queuedAgain": "Wartet wieder",
};
