// Original and correction out of one stream: switching between them is a change of gains, so that there is
// no gap and no drift. Their channels lie in the stream one behind the other, the original's first.

import { FULL, type Volumes } from "./match";

export const HEARD = ["original", "corrected", "removed"] as const;
export type Heard = (typeof HEARD)[number];

/** A hard step clicks. */
const RAMP_S = 0.008;

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

export class CompareEngine {
  readonly #context = new AudioContext();
  readonly #original: GainNode;
  readonly #corrected: GainNode;

  constructor(
    private readonly element: HTMLMediaElement,
    channels: 1 | 2,
  ) {
    const source = this.#context.createMediaElementSource(element);
    const splitter = this.#context.createChannelSplitter(2 * channels);
    source.connect(splitter);
    this.#original = this.#side(splitter, 0, channels);
    this.#corrected = this.#side(splitter, channels, channels);
    // A context may stand still until somebody has clicked.
    element.addEventListener("play", this.#wake);
  }

  hear(gains: Volumes): void {
    const end = this.#context.currentTime + RAMP_S;
    for (const [gain, to] of [
      [this.#original.gain, gains.original],
      [this.#corrected.gain, gains.corrected],
    ] as const) {
      gain.setValueAtTime(gain.value, this.#context.currentTime);
      gain.linearRampToValueAtTime(to, end);
    }
  }

  close(): void {
    this.element.removeEventListener("play", this.#wake);
    void this.#context.close();
  }

  readonly #wake = () => void this.#context.resume();

  /** From so many of the stream's channels to left and right. Silent until told. */
  #side(splitter: ChannelSplitterNode, first: number, channels: 1 | 2): GainNode {
    const merger = this.#context.createChannelMerger(2);
    for (const ear of [0, 1]) splitter.connect(merger, first + (ear % channels), ear);
    const gain = this.#context.createGain();
    gain.gain.value = 0;
    merger.connect(gain);
    gain.connect(this.#context.destination);
    return gain;
  }
}
