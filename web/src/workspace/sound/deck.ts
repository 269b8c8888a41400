// What original and correction are played with, outside of React. The time line is the correction's. Three ways, the
// best first: channels of one stream, tracks of one file, two files.

import { type Heard, gainsFor } from "./gains";
import { FULL, type Volumes, withoutBoost } from "./match";
import { type OneTrack, playOne, tracksOf } from "./trackChoice";

/** A hard step clicks. */
const RAMP_S = 0.008;

export type Hearing = { heard: Heard; matched: boolean; volumes: Volumes };

export type Deck = {
  /** What can be heard on it. */
  readonly kinds: readonly Heard[];
  /** Called before it plays for the first time, and whenever something else is to be heard. */
  hear: (hearing: Hearing) => void;
  play: () => Promise<void>;
  pause: () => void;
  seek: (at_s: number) => void;
  /** Seconds of the correction. */
  readonly time_s: number;
  readonly playing: boolean;
  close: () => void;
};

/** One element plays both; its time line is the correction's. */
abstract class ElementDeck implements Deck {
  abstract readonly kinds: readonly Heard[];

  constructor(protected readonly element: HTMLMediaElement) {}

  abstract hear(hearing: Hearing): void;

  play(): Promise<void> {
    return this.element.play();
  }

  pause(): void {
    this.element.pause();
  }

  seek(at_s: number): void {
    this.element.currentTime = at_s;
  }

  get time_s(): number {
    return this.element.currentTime;
  }

  get playing(): boolean {
    return !this.element.paused;
  }

  close(): void {
    this.element.pause();
  }
}

/** Channels of one stream, the original's first: switching is a change of gains, without a gap and without drift. */
export class ChannelDeck extends ElementDeck {
  override readonly kinds = ["original", "corrected", "removed"] as const;
  #context: AudioContext | null = null;
  #gains: { original: GainNode; corrected: GainNode } | null = null;
  #hearing: Hearing = { heard: "corrected", matched: true, volumes: FULL };

  constructor(
    element: HTMLMediaElement,
    private readonly channels: 1 | 2,
  ) {
    super(element);
    // Also where a headset's button or the system starts it.
    element.addEventListener("play", this.#wake);
  }

  override hear(hearing: Hearing): void {
    this.#hearing = hearing;
    if (this.#context === null || this.#gains === null) return;
    const now = this.#context.currentTime;
    const wanted = gainsFor(hearing.heard, hearing.matched, hearing.volumes);
    for (const side of ["original", "corrected"] as const) {
      const { gain } = this.#gains[side];
      gain.cancelScheduledValues(now);
      gain.setValueAtTime(gain.value, now);
      gain.linearRampToValueAtTime(wanted[side], now + RAMP_S);
    }
  }

  override play(): Promise<void> {
    this.#wake();
    return super.play();
  }

  override close(): void {
    this.element.removeEventListener("play", this.#wake);
    super.close();
    void this.#context?.close();
  }

  /** An element can be taken into a context once only, and a browser lets one sound only after a click. */
  readonly #wake = () => {
    if (this.#context === null) {
      const context = new AudioContext();
      const splitter = context.createChannelSplitter(2 * this.channels);
      context.createMediaElementSource(this.element).connect(splitter);
      const side = (first: number) => {
        const merger = context.createChannelMerger(2);
        for (const ear of [0, 1]) splitter.connect(merger, first + (ear % this.channels), ear);
        const gain = context.createGain();
        gain.gain.value = 0;
        merger.connect(gain).connect(context.destination);
        return gain;
      };
      this.#gains = { original: side(0), corrected: side(this.channels) };
      this.#context = context;
      this.hear(this.#hearing);
    }
    void this.#context.resume();
  };
}

/** Tracks of one file: for browsers that cannot decode such a stream and can change tracks. Only one plays. */
export class TrackDeck extends ElementDeck {
  readonly kinds = ["original", "corrected"] as const;
  #hearing: Hearing | null = null;

  constructor(
    element: HTMLMediaElement,
    private readonly onUnplayable: () => void,
  ) {
    super(element);
    element.addEventListener("loadedmetadata", this.#choose);
  }

  override hear(hearing: Hearing): void {
    this.#hearing = hearing;
    this.#choose();
  }

  override close(): void {
    this.element.removeEventListener("loadedmetadata", this.#choose);
    super.close();
  }

  readonly #choose = () => {
    if (this.#hearing === null || this.element.readyState === HTMLMediaElement.HAVE_NOTHING) return;
    const { heard, matched, volumes } = this.#hearing;
    const track: OneTrack = heard === "original" ? "original" : "corrected";
    this.element.volume = matched ? withoutBoost(volumes)[track] : 1;
    if (!playOne(tracksOf(this.element), track)) this.onUnplayable();
  };
}

/** Where a moment of one is in the other: they differ where pauses were taken out. */
export type Alignment = { inOriginal: (corrected_s: number) => number; inCorrection: (original_s: number) => number };

/** Two files, one of which plays: switching has a short gap, and nothing can be subtracted. */
export class PairDeck implements Deck {
  readonly kinds = ["original", "corrected"] as const;
  #heard: OneTrack = "corrected";

  constructor(
    private readonly corrected: HTMLMediaElement,
    private readonly original: HTMLMediaElement,
    private readonly alignment: Alignment,
  ) {}

  hear({ heard, matched, volumes }: Hearing): void {
    const wanted = heard === "original" ? "original" : "corrected";
    const quiet = matched ? withoutBoost(volumes) : FULL;
    this.original.volume = quiet.original;
    this.corrected.volume = quiet.corrected;
    if (wanted === this.#heard) return;
    const [at, plays] = [this.time_s, this.playing];
    this.#now.pause();
    this.#heard = wanted;
    this.seek(at);
    if (plays) void this.play();
  }

  play(): Promise<void> {
    return this.#now.play();
  }

  pause(): void {
    this.#now.pause();
  }

  seek(at_s: number): void {
    this.#now.currentTime = this.#heard === "original" ? this.alignment.inOriginal(at_s) : at_s;
  }

  get time_s(): number {
    const { currentTime } = this.#now;
    return this.#heard === "original" ? this.alignment.inCorrection(currentTime) : currentTime;
  }

  get playing(): boolean {
    return !this.#now.paused;
  }

  close(): void {
    this.original.pause();
    this.corrected.pause();
  }

  get #now(): HTMLMediaElement {
    return this.#heard === "original" ? this.original : this.corrected;
  }
}
