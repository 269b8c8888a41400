// Ketten und ihre Schritte.

import type { chain as english } from "../en/chain";

export const chain: Readonly<Record<keyof typeof english, string>> = {
  "chain.how": "Die Schritte laufen von oben nach unten. Jeder bekommt, was der vor ihm gemacht hat.",
  "chain.steps": "Schritte",
  "chain.step": "Schritt {{place}}",
  "chain.undo": "Rückgängig",
  "chain.reset": "Von vorn",
  "chain.empty": "Eine Kette braucht mindestens einen Schritt. Füge einen hinzu.",
  "chain.allOff": "Alle Schritte sind ausgeschaltet. Schalte einen ein.",
  "chain.tooMany": "Eine Kette hat höchstens {{max}} Schritte; hier sind {{count}}.",
  "chain.full": "Mehr als {{max}} Schritte kann eine Kette nicht haben.",
  "chain.added": "{{title}} ist als Schritt {{place}} dazugekommen.",
  "chain.moved": "{{title}} ist jetzt Schritt {{place}} von {{all}}.",
  "chain.removed": "{{title}} entfernt.",
  "chain.on": "{{title}} ist an",
  "chain.isOff": "Ausgeschaltet",
  "chain.up": "{{title}} nach oben",
  "chain.down": "{{title}} nach unten",
  "chain.remove": "{{title}} entfernen",
  "chain.wrong": "Hier muss etwas geändert werden",
  "chain.external.what":
    "Die Aufnahme geht an den externen Dienst „{{name}}“, mit dem dieser Server eingerichtet ist, und seine Antwort geht weiter.",
  "chain.noPlugin": "Ein Plugin „{{name}}“ gibt es hier nicht. Entferne den Schritt oder wähle einen anderen.",
  "chain.version.looking": "Version {{version}} wird gesucht …",
  "chain.noParam": "{{plugin}} hat keinen Parameter „{{param}}“ (er war {{value}}).",
  "chain.leaveOut": "Weglassen",
};
