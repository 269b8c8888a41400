// What is heard of original and correction, as two gains: without the DOM.

import { FULL, type Volumes } from "./match";

export const HEARD = ["original", "corrected", "removed"] as const;
export type Heard = (typeof HEARD)[number];

/** What each of the two is multiplied with. What was removed is the difference between the two, equally loud. */
export function gainsFor(heard: Heard, matched: boolean, volumes: Volumes): Volumes {
  const { original, corrected } = matched || heard === "removed" ? volumes : FULL;
  switch (heard) {
    case "original":
      return { original, corrected: 0 };
    case "corrected":
      return { original: 0, corrected };
    case "removed":
      return { original, corrected: -corrected };
  }
}

/** One, where original and correction are mono; anything else is heard as two. */
export function channelsOf(original: number | null, corrected: number | null): 1 | 2 {
  return original === 1 && corrected === 1 ? 1 : 2;
}
