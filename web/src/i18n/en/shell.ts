// What is around the views: navigation, bringing in, the list, settings.

export const shell = {
  recording: "Recording",
  "nav.label": "Views",
  "nav.start": "New",
  "nav.recordings": "Recordings",
  "nav.plugins": "Plugins",
  "nav.settings": "Settings",
  "start.title": "Say it once. Hear it right.",
  "start.what": "Noise, hum and echo go, the loudness becomes right, and you hear the difference before you take it away.",
  silence: "silence",
  opening: "Opening…",
  again: "Try again",
  "try.next": "Record or choose something to try {{plugin}} on.",
  "try.last": "{{plugin}} is ready to be tried on {{recording}}.",

  "recent.title": "Your recordings",
  "recent.all": "All of them",
  "list.title": "Your recordings",
  "list.behind": "The live connection is interrupted. Looking every few seconds until it is back.",
  "list.looking": "Looking…",
  "list.nothing": "Nothing yet. What you send appears here, and stays until you delete it.",
  "list.corrections_one": "one correction",
  "list.corrections_other": "{{count}} corrections",
  deleted_one: "{{name}} was deleted.",
  deleted_other: "{{count}} recordings were deleted.",
  "deleted.undone": "It is back.",
} as const;
