// Which tiles of a spectrogram show a stretch of time, and their colours. Fetching is spectrogramSource.ts'.

/** As the server makes them: docs/renditions.md. */
export const TILE_COLUMNS = 1024;
export const TILE_ROWS = 128;

/** Few, so that zooming finds what was fetched before. */
const RATES = [1, 2, 5, 10, 20, 50, 100, 200] as const;

/** Columns for each second: one for each pixel, or the next fewer that there are. */
export function rateFor(pixelsPerSecond: number): number {
  return RATES.findLast((rate) => rate <= pixelsPerSecond * 1.5) ?? RATES[0];
}

/** First and last tile that these seconds lie in. */
export function tilesBetween(rate: number, from_s: number, to_s: number): [number, number] {
  const first = Math.max(0, Math.floor((from_s * rate) / TILE_COLUMNS));
  return [first, Math.max(first, Math.ceil((to_s * rate) / TILE_COLUMNS) - 1)];
}

export function lastTile(rate: number, duration_s: number): number {
  return Math.max(0, Math.ceil((duration_s * rate) / TILE_COLUMNS) - 1);
}

/** Red, green and blue at points of the scale; as bright as they are loud, so that grey and colour-blind eyes read it. */
const SCALE: readonly (readonly [number, number, number, number])[] = [
  [0, 11, 16, 19],
  [0.25, 30, 27, 75],
  [0.45, 104, 31, 115],
  [0.62, 186, 55, 84],
  [0.78, 240, 121, 33],
  [0.9, 252, 193, 62],
  [1, 252, 253, 191],
];

/** What is quieter than this part of the scale is ground. 0 is -100 dBFS. */
const DARKEST = 0.12;

/** Of each of the 256 greys its colour, as RGB. */
export function colours(): Uint8ClampedArray {
  const table = new Uint8ClampedArray(256 * 3);
  for (let grey = 0; grey < 256; grey += 1) {
    const place = Math.max(0, (grey / 255 - DARKEST) / (1 - DARKEST));
    const above = Math.max(1, SCALE.findIndex(([at]) => at >= place));
    const low = SCALE[above - 1] ?? SCALE[0];
    const high = SCALE[above] ?? low;
    if (low === undefined || high === undefined) continue;
    const part = high[0] > low[0] ? (place - low[0]) / (high[0] - low[0]) : 0;
    for (const channel of [1, 2, 3] as const) {
      table[3 * grey + channel - 1] = low[channel] + (high[channel] - low[channel]) * part;
    }
  }
  return table;
}
