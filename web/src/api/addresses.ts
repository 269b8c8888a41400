// Where everything is that a correction is heard and shown by: one's own, or what somebody shared.

import { correctedAudioUrl, originalAudioUrl } from "./endpoints";
import { type Side, compareTracksUrl, compareUrl, peaksUrl, spectrogramUrl } from "./renditions";
import type { Job, Recording } from "./types";

export type Addresses = {
  /** Tells one correction from another. */
  key: string;
  /** Both versions in one stream, and as two tracks of one file. */
  channels: string;
  tracks: string;
  peaks: (side: Side) => string;
  spectrogram: (side: Side, columnsPerSecond: number, tile: number) => string;
  /** The files themselves; null where they may not be had. */
  pair: Readonly<Record<Side, string>> | null;
};

export function addressesOf(recording: Recording, job: Job): Addresses {
  return {
    key: job.id,
    channels: compareUrl(job),
    tracks: compareTracksUrl(job),
    peaks: (side) => peaksUrl(job, side),
    spectrogram: (side, rate, tile) => spectrogramUrl(job, side, rate, tile),
    pair: { original: originalAudioUrl(recording), corrected: correctedAudioUrl(job) },
  };
}
