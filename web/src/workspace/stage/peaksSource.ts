// The peaks of one version, fetched as far as they are looked at. The beginning of the file comes in one request: of a
// short recording that is all of it.

import { made } from "@/api/renditions";
import { HEADER_BYTES_MAX, type Level, type PeaksHeader, type Points, levelFor, parseHeader, tileBytes, tilesOf } from "./peaks";

const FIRST_BYTES = 65_536;

export class PeaksSource {
  #header: PeaksHeader | null = null;
  /** By level and tile; null while it is on its way. */
  readonly #tiles = new Map<string, Int8Array | null>();
  #first = new Int8Array();
  readonly #stop = new AbortController();

  /** `onArrived` is called whenever there is more to draw. */
  constructor(
    private readonly url: string,
    private readonly onArrived: () => void,
  ) {
    void this.#open();
  }

  get header(): PeaksHeader | null {
    return this.#header;
  }

  /** The finest level that is wanted and here, for these frames, with its points; asks for what is missing. */
  look(framesPerPixel: number, from: number, to: number): { level: Level; points: Points } | null {
    const header = this.#header;
    if (header === null) return null;
    const wanted = levelFor(header, framesPerPixel);
    for (let at = wanted; at < header.levels.length; at += 1) {
      const level = header.levels[at];
      if (level === undefined || !this.#has(header, at, from, to)) continue;
      return { level, points: this.#points(header, at) };
    }
    return null;
  }

  close(): void {
    this.#stop.abort();
    this.#tiles.clear();
  }

  #has(header: PeaksHeader, level: number, from: number, to: number): boolean {
    const range = tilesOf(header, level, from, to);
    if (range === null) return true;
    let all = true;
    for (let tile = range[0]; tile <= range[1]; tile += 1) {
      if (!(this.#tile(header, level, tile) instanceof Int8Array)) all = false;
    }
    return all;
  }

  #points(header: PeaksHeader, level: number): Points {
    return (index) => {
      const tile = this.#tiles.get(`${level}/${Math.floor(index / header.tilePoints)}`);
      const at = 2 * (index % header.tilePoints);
      if (!(tile instanceof Int8Array) || at + 1 >= tile.length) return null;
      return [tile[at] ?? 0, tile[at + 1] ?? 0];
    };
  }

  #tile(header: PeaksHeader, level: number, tile: number): Int8Array | null {
    const key = `${level}/${tile}`;
    const known = this.#tiles.get(key);
    if (known !== undefined) return known;
    const [begin, end] = tileBytes(header, level, tile);
    if (end <= this.#first.length) {
      const here = this.#first.subarray(begin, end);
      this.#tiles.set(key, here);
      return here;
    }
    this.#tiles.set(key, null);
    this.#fetch(begin, end).then(
      (bytes) => {
        this.#tiles.set(key, new Int8Array(bytes));
        this.onArrived();
      },
      () => {
        // Without it a coarser level is drawn; the next look asks again.
        if (!this.#stop.signal.aborted) setTimeout(() => this.#tiles.delete(key), 2000);
      },
    );
    return null;
  }

  async #open(): Promise<void> {
    try {
      const bytes = await this.#fetch(0, FIRST_BYTES);
      this.#header = parseHeader(bytes.slice(0, HEADER_BYTES_MAX));
      this.#first = new Int8Array(bytes);
      this.onArrived();
    } catch (error) {
      // The page does without a picture; the sound is what counts.
      if (!this.#stop.signal.aborted) console.warn("there are no peaks to draw", error);
    }
  }

  async #fetch(begin: number, end: number): Promise<ArrayBuffer> {
    const answer = await made(this.url, { headers: { range: `bytes=${begin}-${end - 1}` } }, this.#stop.signal);
    const bytes = await answer.arrayBuffer();
    // A server or a proxy may answer with the whole.
    return answer.status === 206 ? bytes : bytes.slice(begin, end);
  }
}
