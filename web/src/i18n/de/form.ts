// Das Formular vor dem Schicken.

import type { form as english } from "../en/form";

export const form: Readonly<Record<keyof typeof english, string>> = {
  "preset.legend": "Bearbeiten für",
  "preset.auto": "Herausfinden, was nötig ist",
  "preset.auto.why": "Hört erst zu, tut dann, was die Aufnahme braucht, und sagt warum; Musik bleibt, wie sie ist",
  "preset.speech": "Sprache",
  "preset.speech.why": "Rumpeln und Rauschen entfernt, laut wie ein Podcast; Musik bleibt, wie sie ist",
  "preset.speech-best": "Sprache, bestmöglich",
  "preset.speech-best.why": "Rauschen jeder Art mit einem großen Netz entfernt, laut wie ein Podcast; dauert länger",
  "preset.speech-room": "Sprache im Raum",
  "preset.speech-room.why": "Der Hall des Raums entfernt, dann das Rauschen wie bei „Sprache, bestmöglich“",
  "preset.music": "Musik",
  "preset.music.why": "Unhörbares Rumpeln entfernt, laut wie beim Streaming",
  "preset.loudness-only": "Nur Lautheit",
  "preset.loudness-only.why": "Nichts als gleichmäßige Lautheit",
  "preset.external": "Externer Dienst",
  "preset.external.why": "Vom externen Dienst bearbeitet, laut wie ein Podcast",
  "preset.own": "Eigene Kette bauen",
  "preset.own.why": "Die Schritte selbst wählen und einstellen",
  "preset.saved.why_one": "Eigene: ein Schritt",
  "preset.saved.why_other": "Eigene: {{count}} Schritte",
  "preset.change": "Schritte von „{{name}}“ ändern",

  "format.label": "Zurück als",
  "format.auto": "Was zur Aufnahme passt",
  "format.flac": "FLAC, verlustfrei",
  "format.mp3": "MP3, läuft überall",
  "format.m4a": "M4A, fürs Telefon",
  "format.wav": "WAV, verlustfrei und groß",
  "format.opus": "Opus, klein",

  "email.label": "Deine E-Mail-Adresse",
  "email.missing": "Gib deine E-Mail-Adresse ein.",
  "email.long": "Länger als die {{max}} Zeichen, die eine E-Mail-Adresse haben darf.",
  "email.at": "Eine E-Mail-Adresse braucht ein @, wie in name@example.org.",
  "email.bad": "„{{text}}“ ist keine E-Mail-Adresse; sie sollte aussehen wie name@example.org.",

  "level.tooLoud": "Zu laut: etwas weiter weg, oder das Mikrofon leiser stellen.",
  "level.silent": "Nichts zu hören: Ist das Mikrofon an und nicht stummgeschaltet?",

  "microphone.denied": "Das Mikrofon ist hier nicht erlaubt",
  "microphone.denied.next":
    "Erlaube es in den Einstellungen des Browsers zu dieser Seite (das Zeichen neben der Adresse) und versuche es noch einmal. Oder wähle eine Datei.",
  "microphone.missing": "Kein Mikrofon gefunden",
  "microphone.missing.next": "Schließe eines an oder schalte es ein und versuche es noch einmal. Oder wähle eine Datei.",
  "microphone.busy": "Das Mikrofon wird anderswo benutzt",
  "microphone.busy.next": "Schließe das andere Programm und versuche es noch einmal.",
  "microphone.insecure": "Browser geben das Mikrofon nur sicheren Seiten",
  "microphone.insecure.next": "Öffne die Seite über https oder auf diesem Rechner als localhost. Dateien wählen geht auch so.",
  "microphone.unsupported": "Dieser Browser kann nicht aufnehmen",
  "microphone.unsupported.next": "Nimm einen aktuellen Browser, oder wähle eine Datei.",
  "microphone.other": "Das Mikrofon ging nicht an",
  "microphone.other.next": "Versuche es noch einmal, oder wähle eine Datei.",
};
