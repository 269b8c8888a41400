// Die Liste von allem.

import type { list as english } from "../en/list";

export const list: Readonly<Record<keyof typeof english, string>> = {
  rename: "Umbenennen",
  "rename.label": "{{name}} umbenennen",
  "rename.done": "Sie heißt jetzt {{name}}.",
  delete: "Löschen",
  "delete.label": "{{name}} löschen",
  "list.search": "Nach Namen suchen",
  "list.status": "Stand",
  "list.status.any": "Jeder",
  "list.sort": "Reihenfolge",
  "sort.newest": "Neueste zuerst",
  "sort.oldest": "Älteste zuerst",
  "sort.name": "Nach Namen",
  "sort.longest": "Längste zuerst",
  "sort.shortest": "Kürzeste zuerst",
  "list.selected_one": "Eine ausgewählt",
  "list.selected_other": "{{count}} ausgewählt",
  "list.select": "{{name}} auswählen",
  "list.selectAll": "Alle gezeigten auswählen",
  "list.selectNone": "Keine auswählen",
  "list.nothingFound": "So ist keine.",
  "list.more": "Mehr zeigen",
  "deleted.undo": "Rückgängig",
  "deleted.dismiss": "Schließen",
  "deleted.label": "Gelöscht",
};
