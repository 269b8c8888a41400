// The tracks of a media element, which few browsers let a page see.

/** In the file's order. */
export const PLACES = ["original", "corrected"] as const;
export type OneTrack = (typeof PLACES)[number];

/** As HTML has it; not in TypeScript's own description. */
export type Tracks = { readonly length: number; [place: number]: { enabled: boolean } | undefined };

export function canChangeTracks(): boolean {
  return "audioTracks" in HTMLMediaElement.prototype;
}

export function tracksOf(element: HTMLMediaElement): Tracks | null {
  return "audioTracks" in element ? (element.audioTracks as Tracks) : null;
}

/** False where there are not both. */
export function playOne(tracks: Tracks | null, wanted: OneTrack): boolean {
  const both = PLACES.map((_, place) => tracks?.[place]);
  if (both.includes(undefined)) return false;
  both.forEach((track, place) => {
    if (track !== undefined) track.enabled = PLACES[place] === wanted;
  });
  return true;
}
