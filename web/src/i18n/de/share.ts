// Eine Bearbeitung teilen, und was sieht, wer den Link hat.

import type { share as english } from "../en/share";

export const share: Readonly<Record<keyof typeof english, string>> = {
  share: "Teilen",
  "share.title": "Diese Bearbeitung teilen",
  "share.what": "Wer den Link hat, hört Original und Bearbeitung auf einer eigenen Seite. Ein Konto braucht es nicht.",
  "share.lasts": "Der Link gilt",
  "share.days_one": "einen Tag",
  "share.days_other": "{{count}} Tage",
  "share.mayDownload": "Die Dateien dürfen heruntergeladen werden",
  "share.make": "Link erstellen",
  "share.made": "Der Link ist erstellt",
  "share.address": "Link",
  "share.copy": "Link kopieren",
  "share.copied": "Der Link ist kopiert",
  "share.once": "Bitte aufheben: Er kann nicht noch einmal gezeigt werden.",
  "share.links": "Links zu dieser Bearbeitung",
  "share.link.download": "Hören und herunterladen, bis {{until}}",
  "share.link.listen": "Hören, bis {{until}}",
  "share.revoke": "Widerrufen",
  "share.revoked": "Der Link öffnet nichts mehr",
  "shared.opening": "Wird geöffnet …",
  "shared.gone": "Dieser Link öffnet nichts",
  "shared.gone.why": "Er ist abgelaufen oder widerrufen, oder die Aufnahme wurde gelöscht. Wer ihn geschickt hat, kann einen neuen erstellen.",
  "shared.until": "geteilt bis {{until}}",
  "shared.files": "Herunterladen als",
  "shared.cannot": "Dieser Browser kann den Vergleich nicht abspielen.",
};
