// The tiles of one version's spectrogram, coloured, fetched as they are looked at, and the oldest forgotten.

import { made } from "@/api/renditions";
import { TILE_COLUMNS, TILE_ROWS, colours } from "./spectrogram";

/** Of 1,024 by 128 pixels and four bytes: 32 MB. */
const KEPT_MAX = 64;

/** One after the other: the server makes neighbours in one pass. */
const AT_ONCE = 2;

let table: Uint8ClampedArray | null = null;

export class SpectrogramSource {
  readonly #tiles = new Map<string, HTMLCanvasElement | null>();
  readonly #waiting: (readonly [key: string, url: string])[] = [];
  #under = 0;
  readonly #stop = new AbortController();

  constructor(
    private readonly address: (rate: number, tile: number) => string,
    private readonly onArrived: () => void,
  ) {}

  /** Null where it is not here yet; it is asked for then. */
  tile(rate: number, tile: number): HTMLCanvasElement | null {
    const key = `${rate}/${tile}`;
    const known = this.#tiles.get(key);
    if (known !== undefined) {
      // What was looked at last is forgotten last.
      this.#tiles.delete(key);
      this.#tiles.set(key, known);
      return known;
    }
    this.#tiles.set(key, null);
    // The latest wish first: somebody who pans past a tile does not wait for it.
    this.#waiting.unshift([key, this.address(rate, tile)]);
    this.#next();
    return null;
  }

  close(): void {
    this.#stop.abort();
    this.#waiting.length = 0;
    this.#tiles.clear();
  }

  #next(): void {
    while (this.#under < AT_ONCE) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#under += 1;
      void this.#load(...next).finally(() => {
        this.#under -= 1;
        this.#next();
      });
    }
  }

  async #load(key: string, url: string): Promise<void> {
    try {
      const answer = await made(url, {}, this.#stop.signal);
      const picture = await createImageBitmap(await answer.blob());
      if (this.#stop.signal.aborted) return;
      this.#tiles.set(key, coloured(picture));
      picture.close();
      for (const [old] of this.#tiles) {
        if (this.#tiles.size <= KEPT_MAX) break;
        this.#tiles.delete(old);
      }
      this.onArrived();
    } catch {
      if (!this.#stop.signal.aborted) setTimeout(() => this.#tiles.delete(key), 2000);
    }
  }
}

function coloured(picture: ImageBitmap): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = TILE_COLUMNS;
  canvas.height = TILE_ROWS;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) return canvas;
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const { data } = image;
  table ??= colours();
  for (let at = 0; at < data.length; at += 4) {
    const grey = 3 * (data[at] ?? 0);
    data[at] = table[grey] ?? 0;
    data[at + 1] = table[grey + 1] ?? 0;
    data[at + 2] = table[grey + 2] ?? 0;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
