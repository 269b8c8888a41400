// A file's tracks in words.

import type { Track } from "@/api/report";

/** "Track 2: Commentary, English, AAC, stereo" */
export function trackWords(track: Track): string {
  const facts = [track.name, languageName(track.language), track.codec, channelWords(track.channels)];
  const told = facts.filter((fact) => fact !== null && fact !== "").join(", ");
  const name = `Track ${track.track}`;
  return told === "" ? name : `${name}: ${told}`;
}

/** Which track was corrected; null where there was nothing to choose. */
export function usedTrackWords(tracks: readonly Track[]): string | null {
  const used = tracks.length > 1 ? tracks.find((track) => track.used) : undefined;
  return used === undefined ? null : `${trackWords(used)} (of ${tracks.length})`;
}

function channelWords(channels: number | null): string | null {
  if (channels === null) return null;
  if (channels === 1) return "mono";
  return channels === 2 ? "stereo" : `${channels} channels`;
}

/** ISO 639's codes for no and for many languages tell nobody anything. */
const NO_LANGUAGE = new Set(["und", "zxx", "mul", "mis", "qaa"]);

function languageName(tag: string | null): string | null {
  if (tag === null || NO_LANGUAGE.has(tag)) return null;
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag; // a file may say anything
  }
}
