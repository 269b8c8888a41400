// Einstellungen und Teilen.

import type { settings as english } from "../en/settings";

export const settings: Readonly<Record<keyof typeof english, string>> = {
  "settings.look": "Wie es aussieht",
  "settings.language": "Sprache",
  "settings.theme": "Farben",
  "settings.theme.system": "Wie im System",
  "settings.theme.light": "Hell",
  "settings.theme.dark": "Dunkel",

  "devices.title": "Andere Geräte",
  "devices.what":
    "Deine Aufnahmen gehören zu diesem Browser. Mit einem Code öffnest du sie auf dem Telefon oder einem anderen Rechner.",
  "devices.code": "Code für ein anderes Gerät",
  "devices.code.until": "Gilt einmal, bis {{when}}.",
  "devices.enter": "Code von einem anderen Gerät",
  "devices.enter.use": "Dessen Aufnahmen hier öffnen",
  "devices.this": "Dieser Browser",
  "devices.other": "Ein anderes Gerät",
  "devices.since": "seit {{when}}",
  "devices.used": "zuletzt benutzt {{when}}",
  "devices.end": "Abmelden",

  "stored.title": "Was gespeichert ist",
  "stored.server_one": "Eine Aufnahme auf dem Server, {{size}}, mit allem, was daraus wurde.",
  "stored.server_other": "{{count}} Aufnahmen auf dem Server, {{size}}, mit allem, was daraus wurde.",
  "stored.browser":
    "Dieser Browser bewahrt deine E-Mail-Adresse, deine eigenen Ketten und noch nicht geschickte Aufnahmen auf. An andere schickt er nichts.",
  "stored.deleteAll": "Alles löschen",
  "stored.deleteAll.title": "Alle deine Aufnahmen löschen?",
  "stored.deleteAll.text": "Alle {{count}} und alles, was daraus wurde, sind dann weg, auf allen deinen Geräten.",
  "stored.deleting": "Wird gelöscht, noch {{count}} …",
  "stored.deleted": "Alle Aufnahmen wurden gelöscht.",

  "share.title": "Teilen",
  "share.what": "Wer den Link hat, hört Original und Bearbeitung, ohne Konto. Er lässt sich jederzeit zurücknehmen.",
  "share.for": "Der Link gilt",
  "share.days_one": "einen Tag",
  "share.days_other": "{{count}} Tage",
  "share.download": "Die Dateien dürfen heruntergeladen werden",
  "share.make": "Link machen",
  "share.link": "Link",
  "share.copy": "Kopieren",
  "share.copied": "Kopiert.",
  "share.noCopy": "Der Browser erlaubt das Kopieren nicht; markiere den Text von Hand.",
  "share.others": "Links zu dieser Bearbeitung",
  "share.until": "bis {{when}}",
  "share.over": "abgelaufen {{when}}",
  "share.mayDownload": "mit Herunterladen",
  "share.revoke": "Zurücknehmen",
  "share.revoked": "Der Link öffnet nichts mehr.",
  "shared.gone": "Dieser Link öffnet nichts",
  "shared.gone.why":
    "Er wurde zurückgenommen, ist abgelaufen, oder die Aufnahme wurde gelöscht. Bitte um einen neuen, wer ihn geschickt hat.",
  "shared.until": "Mit dir geteilt bis {{when}}",
};
