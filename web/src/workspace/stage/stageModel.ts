// Which stretch of the recording is shown, and as what: one store for the pictures, the keys and the buttons.

import { type Stretch, clamped, following, moved, showing, span, whole, zoomed } from "./timeline";

export type Picture = "wave" | "spectrogram";

/** One press of a key or button. */
const ZOOM_STEP = 0.6;

export class StageModel {
  #stretch: Stretch;
  readonly #listeners = new Set<() => void>();

  constructor(readonly duration_s: number) {
    this.#stretch = whole(duration_s);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getStretch = (): Stretch => this.#stretch;

  zoom(factor: number, anchor_s: number): void {
    this.#set(zoomed(this.#stretch, this.duration_s, factor, anchor_s));
  }

  zoomIn(anchor_s: number): void {
    this.zoom(ZOOM_STEP, this.#inSight(anchor_s));
  }

  zoomOut(anchor_s: number): void {
    this.zoom(1 / ZOOM_STEP, this.#inSight(anchor_s));
  }

  move(by_s: number): void {
    this.#set(moved(this.#stretch, this.duration_s, by_s));
  }

  /** As long as now, with its middle there. */
  centre(at_s: number): void {
    const half = span(this.#stretch) / 2;
    this.#set(clamped({ from_s: at_s - half, to_s: at_s + half }, this.duration_s));
  }

  fit(): void {
    this.#set(whole(this.duration_s));
  }

  show(at_s: number): void {
    this.#set(showing(this.#stretch, this.duration_s, at_s));
  }

  follow(at_s: number): void {
    this.#set(following(this.#stretch, this.duration_s, at_s));
  }

  get isWhole(): boolean {
    return span(this.#stretch) >= span(whole(this.duration_s)) - 1e-9;
  }

  /** What is not in sight is no place to zoom at. */
  #inSight(at_s: number): number {
    const { from_s, to_s } = this.#stretch;
    return at_s >= from_s && at_s <= to_s ? at_s : (from_s + to_s) / 2;
  }

  #set(next: Stretch): void {
    if (next.from_s === this.#stretch.from_s && next.to_s === this.#stretch.to_s) return;
    this.#stretch = next;
    for (const listener of this.#listeners) listener();
  }
}
