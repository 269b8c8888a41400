// Play, pause, place, loop, and what is heard: one store for every part of the workspace that shows or changes it. The
// moving place is not in the state, since it changes with every frame: ask for `time_s`.

import type { Deck } from "./deck";
import type { Heard } from "./gains";
import { FULL, type Volumes } from "./match";

export type Loop = { from_s: number; to_s: number };

export type TransportState = {
  /** Null while there is nothing to play with. */
  kinds: readonly Heard[] | null;
  playing: boolean;
  heard: Heard;
  matched: boolean;
  loop: Loop | null;
  /** Whether it is gone round in it. */
  looping: boolean;
  /** Counts the jumps: whoever shows the place looks again. */
  jumps: number;
};

/** Shorter than this nobody can hear what is repeated. */
const LOOP_MIN_S = 0.1;

export class Transport {
  #state: TransportState = {
    kinds: null,
    playing: false,
    heard: "corrected",
    matched: true,
    loop: null,
    looping: false,
    jumps: 0,
  };
  #deck: Deck | null = null;
  #volumes: Volumes = FULL;
  #wanted_s = 0;
  #duration_s = 0;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): TransportState => this.#state;

  /** What is known of the correction: how long it is, and how loud beside the original. */
  know(duration_s: number, volumes: Volumes): void {
    this.#duration_s = duration_s;
    this.#volumes = volumes;
    this.#tell();
  }

  /** Plays with another deck from now on, from the same place, on if it did; null where there is none. */
  use(deck: Deck | null): void {
    const [at, plays] = [this.time_s, this.#deck?.playing === true];
    this.#deck?.close();
    this.#deck = deck;
    this.#wanted_s = at;
    const heard = deck === null || deck.kinds.includes(this.#state.heard) ? this.#state.heard : "corrected";
    this.#change({ kinds: deck?.kinds ?? null, playing: false, heard });
    this.#tell();
    if (at > 0) deck?.seek(at);
    if (plays) this.play();
  }

  get duration_s(): number {
    return this.#duration_s;
  }

  get time_s(): number {
    return this.#deck?.time_s ?? this.#wanted_s;
  }

  readonly toggle = (): void => {
    if (this.#deck?.playing === true) this.#deck.pause();
    else this.play();
  };

  play(): void {
    const deck = this.#deck;
    if (deck === null) return;
    const { loop, looping } = this.#state;
    if (looping && loop !== null && (deck.time_s < loop.from_s || deck.time_s >= loop.to_s)) deck.seek(loop.from_s);
    else if (deck.time_s >= this.#duration_s - 0.05) deck.seek(0);
    // Refused, it stays paused, and that is shown.
    deck.play().catch(() => this.sync());
  }

  pause(): void {
    this.#deck?.pause();
  }

  seek(at_s: number): void {
    const to = Math.min(Math.max(0, at_s), Math.max(0, this.#duration_s));
    this.#wanted_s = to;
    this.#deck?.seek(to);
    this.#change({ jumps: this.#state.jumps + 1 });
  }

  hear(heard: Heard): void {
    if (this.#state.kinds !== null && !this.#state.kinds.includes(heard)) return;
    this.#change({ heard });
    this.#tell();
  }

  /** The other version; from what was removed back to the corrected. */
  readonly other = (): void => this.hear(this.#state.heard === "corrected" ? "original" : "corrected");

  match(matched: boolean): void {
    this.#change({ matched });
    this.#tell();
  }

  /** Null ends it. */
  setLoop(loop: Loop | null): void {
    if (loop === null || loop.to_s - loop.from_s < LOOP_MIN_S) this.#change({ loop: null, looping: false });
    else this.#change({ loop, looping: true });
  }

  loopFromHere(): void {
    const to_s = this.#state.loop?.to_s ?? this.#duration_s;
    const from_s = this.time_s;
    this.setLoop({ from_s, to_s: to_s > from_s ? to_s : this.#duration_s });
  }

  loopToHere(): void {
    const from_s = this.#state.loop?.from_s ?? 0;
    const to_s = this.time_s;
    this.setLoop({ from_s: from_s < to_s ? from_s : 0, to_s });
  }

  toggleLooping(): void {
    if (this.#state.loop !== null) this.#change({ looping: !this.#state.looping });
  }

  /** Somebody else has moved it: a headset's button, the system. */
  readonly moved = (): void => this.#change({ jumps: this.#state.jumps + 1 });

  /** To be called at each frame and each sign of life of the player: goes round, and tells whether it plays. */
  sync(): void {
    const deck = this.#deck;
    if (deck === null) return;
    const { loop, looping, playing } = this.#state;
    if (deck.playing && looping && loop !== null && deck.time_s >= loop.to_s) deck.seek(loop.from_s);
    if (deck.playing !== playing) this.#change({ playing: deck.playing });
  }

  close(): void {
    this.use(null);
    this.#listeners.clear();
  }

  #tell(): void {
    const { heard, matched } = this.#state;
    this.#deck?.hear({ heard, matched, volumes: this.#volumes });
  }

  #change(change: Partial<TransportState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
