// Reads a `.peaks` file (docs/renditions.md): where its points are, and what of them is drawn in a column of pixels.
// Knows bytes and numbers only; peaksSource.ts fetches.

const MAGIC = "RTKPEAK1";
const POINT_BYTES = 2;

export type Level = { begin: number; points: number; framesPerPoint: number };

export type PeaksHeader = {
  sampleRate: number;
  frames: number;
  tilePoints: number;
  /** The finest first. */
  levels: readonly Level[];
};

/** Enough for a header of any length that there is: 26 levels. */
export const HEADER_BYTES_MAX = 512;

export function parseHeader(bytes: ArrayBuffer): PeaksHeader {
  const view = new DataView(bytes);
  if (bytes.byteLength < 48 || String.fromCharCode(...new Uint8Array(bytes, 0, 8)) !== MAGIC) {
    throw new TypeError("these are no peaks");
  }
  const finest = view.getUint32(16, true);
  const coarser = view.getUint32(20, true);
  const count = view.getUint32(28, true);
  if (bytes.byteLength < 48 + 16 * count) throw new TypeError("the head of these peaks is cut off");
  const big = (at: number) => Number(view.getBigUint64(at, true));
  return {
    sampleRate: view.getUint32(12, true),
    tilePoints: view.getUint32(24, true),
    frames: big(32),
    levels: Array.from({ length: count }, (_, n) => ({
      begin: big(48 + 16 * n),
      points: big(56 + 16 * n),
      framesPerPoint: finest * coarser ** n,
    })),
  };
}

/** The coarsest that still has a point for each pixel. */
export function levelFor(header: PeaksHeader, framesPerPixel: number): number {
  const found = header.levels.findLastIndex((level) => level.framesPerPoint <= framesPerPixel);
  return Math.max(0, found);
}

/** First and last tile of a level that these frames lie in; null where it has none of them. */
export function tilesOf(header: PeaksHeader, level: number, from: number, to: number): [number, number] | null {
  const { points, framesPerPoint } = header.levels[level] ?? { points: 0, framesPerPoint: 1 };
  const first = Math.max(0, Math.floor(from / framesPerPoint) - 1);
  const last = Math.min(points - 1, Math.ceil(to / framesPerPoint) + 1);
  return last < first ? null : [Math.floor(first / header.tilePoints), Math.floor(last / header.tilePoints)];
}

/** Where a tile lies in the file: its first byte and the one behind its last. */
export function tileBytes(header: PeaksHeader, level: number, tile: number): [number, number] {
  const { begin, points } = header.levels[level] ?? { begin: 0, points: 0 };
  const first = tile * header.tilePoints;
  const last = Math.min(points, first + header.tilePoints);
  return [begin + first * POINT_BYTES, begin + Math.max(first, last) * POINT_BYTES];
}

/** Lowest and highest sample of a point, -127 to 127; null where it is not here (yet). */
export type Points = (index: number) => readonly [number, number] | null;

/**
 * What is drawn: lowest and highest, -1 to 1, of each column of pixels; NaN where nothing is known. `edges` are the
 * frames between the columns, one more than there are columns.
 */
export function columns(level: Level, points: Points, edges: Float64Array): Float32Array {
  const found = new Float32Array(2 * Math.max(0, edges.length - 1)).fill(Number.NaN);
  for (let column = 0; column + 1 < edges.length; column += 1) {
    const from = (edges[column] ?? 0) / level.framesPerPoint;
    const to = (edges[column + 1] ?? 0) / level.framesPerPoint;
    const extent = to - from < 1 ? between(level, points, (from + to) / 2) : within(level, points, from, to);
    if (extent === null) continue;
    found[2 * column] = extent[0] / 127;
    found[2 * column + 1] = extent[1] / 127;
  }
  return found;
}

function within(level: Level, points: Points, from: number, to: number): readonly [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  const first = Math.max(0, Math.floor(from));
  const last = Math.min(level.points - 1, Math.ceil(to) - 1);
  for (let index = first; index <= last; index += 1) {
    const point = points(index);
    if (point === null) return null;
    low = Math.min(low, point[0]);
    high = Math.max(high, point[1]);
  }
  return low > high ? null : [low, high];
}

/** Closer than a point for each pixel: a straight line from the middle of one to the middle of the next. */
function between(level: Level, points: Points, at: number): readonly [number, number] | null {
  if (at < 0 || at > level.points) return null;
  const place = Math.min(Math.max(0, at - 0.5), level.points - 1);
  const left = points(Math.floor(place));
  const right = points(Math.min(level.points - 1, Math.floor(place) + 1));
  if (left === null || right === null) return null;
  const part = place - Math.floor(place);
  return [left[0] + (right[0] - left[0]) * part, left[1] + (right[1] - left[1]) * part];
}
