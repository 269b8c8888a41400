// Draws the time line on canvases. Knows no React and no server: it is given numbers and colours.

import type { LoudnessCurve } from "@/api/loudness";
import { type Piece, sourceAt } from "./pieces";
import type { Mark } from "./marks";
import { columns } from "./peaks";
import type { PeaksSource } from "./peaksSource";
import { TILE_COLUMNS, TILE_ROWS, lastTile, rateFor, tilesBetween } from "./spectrogram";
import type { SpectrogramSource } from "./spectrogramSource";
import { type Stretch, span, ticks, timeAt, xOf } from "./timeline";

export type Colours = Readonly<
  Record<"stage" | "line" | "ink" | "muted" | "original" | "corrected" | "removed" | "target" | "loop", string>
>;

/** From the tokens: a canvas has no style sheet. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(`--stage${name}`).trim();
  return {
    stage: token(""),
    line: token("-line"),
    ink: token("-ink"),
    muted: token("-muted"),
    original: token("-original"),
    corrected: token("-corrected"),
    removed: token("-removed"),
    target: token("-target"),
    loop: token("-loop"),
  };
}

export type Pen = { context: CanvasRenderingContext2D; width: number; height: number; colours: Colours };

/** The canvas at the screen's own resolution, empty; null where it has no size. */
export function penOf(canvas: HTMLCanvasElement, colours: Colours): Pen | null {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = Math.min(window.devicePixelRatio, 3);
  const context = canvas.getContext("2d");
  if (context === null || width === 0 || height === 0) return null;
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  context.setTransform(across / width, 0, 0, down / height, 0, 0);
  context.fillStyle = colours.stage;
  context.fillRect(0, 0, width, height);
  return { context, width, height, colours };
}

export type Wave = {
  peaks: PeaksSource;
  /** Which moment of the file stands at each of the time line. */
  pieces: readonly Piece[];
  /** What the samples are multiplied with. */
  gain: number;
  colour: string;
  alpha: number;
};

/** Lowest and highest of each column; null while nothing of it is here. */
export function envelope({ peaks, pieces }: Wave, stretch: Stretch, width: number): Float32Array | null {
  const { header } = peaks;
  if (header === null) return null;
  const edges = new Float64Array(width + 1);
  const step = span(stretch) / width;
  for (let x = 0; x <= width; x += 1) edges[x] = sourceAt(pieces, stretch.from_s + x * step) * header.sampleRate;
  // Over a seam a column would show all that was taken out there.
  for (let x = width; x > 0; x -= 1) {
    const widest = step * header.sampleRate * 1.5;
    if ((edges[x] ?? 0) - (edges[x - 1] ?? 0) > widest) edges[x - 1] = (edges[x] ?? 0) - step * header.sampleRate;
  }
  const look = peaks.look(step * header.sampleRate, edges[0] ?? 0, edges[width] ?? 0);
  return look === null ? null : columns(look.level, look.points, edges);
}

/** How far nearly all of the drawn waves goes: quiet recordings can be seen, and a click does not flatten the rest. */
export function reach(drawn: readonly (readonly [Pick<Wave, "gain">, Float32Array | null])[]): number {
  const heights = drawn.flatMap(([{ gain }, found]) => Array.from(found ?? [], (value) => Math.abs(value) * gain));
  const known = heights.filter((height) => !Number.isNaN(height)).sort((a, b) => a - b);
  return known[Math.floor(known.length * NEARLY_ALL)] ?? 0;
}

const NEARLY_ALL = 0.985;

export function drawWave({ context, width, height }: Pen, wave: Wave, found: Float32Array, scale: number): void {
  const middle = height / 2;
  const y = (value: number) => middle - Math.max(-1, Math.min(1, value * wave.gain * scale)) * (middle - 2);
  context.globalAlpha = wave.alpha;
  context.fillStyle = wave.colour;
  context.beginPath();
  for (let x = 0; x < width; x += 1) {
    const [low = Number.NaN, high = Number.NaN] = [found[2 * x], found[2 * x + 1]];
    if (Number.isNaN(low)) continue;
    const top = y(high);
    // Silence is a line, too.
    context.rect(x, top, 1, Math.max(1, y(low) - top));
  }
  context.fill();
  context.globalAlpha = 1;
}

export function drawRuler({ context, width, height, colours }: Pen, stretch: Stretch): void {
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "top";
  for (const { at_s, label } of ticks(stretch, width)) {
    const x = Math.round(xOf(stretch, width, at_s)) + 0.5;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
    if (x + 4 + context.measureText(label).width > width) continue;
    context.fillStyle = colours.muted;
    context.fillText(label, x + 4, 4);
  }
}

type Pictures = { source: SpectrogramSource; pieces: readonly Piece[]; sourceDuration_s: number };

export function drawSpectrogram({ context, width, height }: Pen, { source, pieces, sourceDuration_s }: Pictures, stretch: Stretch): void {
  const rate = rateFor(width / span(stretch));
  const last = lastTile(rate, sourceDuration_s);
  context.imageSmoothingEnabled = true;
  for (const piece of pieces) {
    const from_s = Math.max(piece.from_s, stretch.from_s);
    const to_s = Math.min(piece.to_s, stretch.to_s);
    if (to_s <= from_s) continue;
    // On the file's own time from here on.
    const shift = piece.source_s - piece.from_s;
    const [first, end] = tilesBetween(rate, from_s + shift, to_s + shift);
    for (let tile = first; tile <= Math.min(end, last); tile += 1) {
      const picture = source.tile(rate, tile);
      if (picture === null) continue;
      const begins = (tile * TILE_COLUMNS) / rate;
      const left = Math.max(from_s + shift, begins);
      const right = Math.min(to_s + shift, begins + TILE_COLUMNS / rate);
      if (right <= left) continue;
      const x = xOf(stretch, width, left - shift);
      const wide = xOf(stretch, width, right - shift) - x;
      context.drawImage(picture, (left - begins) * rate, 0, (right - left) * rate, TILE_ROWS, x, 0, wide, height);
    }
  }
}

export function drawMarks({ context, width, height, colours }: Pen, marks: readonly Mark[], stretch: Stretch): void {
  for (const { kind, at_s, to_s } of marks) {
    if (to_s < stretch.from_s || at_s > stretch.to_s) continue;
    const x = xOf(stretch, width, at_s);
    if (kind === "cut") {
      context.strokeStyle = colours.ink;
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(Math.round(x) + 0.5, 0);
      context.lineTo(Math.round(x) + 0.5, height);
      context.stroke();
      context.setLineDash([]);
      continue;
    }
    context.fillStyle = colours.ink;
    context.globalAlpha = 0.85;
    context.fillRect(x, height - 4, Math.max(3, xOf(stretch, width, to_s) - x), 4);
    context.globalAlpha = 1;
  }
}

export function drawLoop({ context, width, height, colours }: Pen, loop: { from_s: number; to_s: number }, stretch: Stretch, on: boolean): void {
  const [from, to] = [xOf(stretch, width, loop.from_s), xOf(stretch, width, loop.to_s)];
  context.fillStyle = colours.loop;
  context.globalAlpha = on ? 0.16 : 0.07;
  context.fillRect(from, 0, to - from, height);
  context.globalAlpha = on ? 1 : 0.5;
  for (const x of [from, to]) context.fillRect(x - 1, 0, 2, height);
  context.globalAlpha = 1;
}

/** What is not shown in the detail, darkened, and a frame around what is. */
export function drawHandle({ context, width, height, colours }: Pen, shown: Stretch, all: Stretch): void {
  if (span(shown) >= span(all) * 0.999) return;
  const [from, to] = [xOf(all, width, shown.from_s), xOf(all, width, shown.to_s)];
  context.fillStyle = colours.stage;
  context.globalAlpha = 0.6;
  context.fillRect(0, 0, from, height);
  context.fillRect(to, 0, width - to, height);
  context.globalAlpha = 1;
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.5;
  context.strokeRect(from + 0.75, 0.75, Math.max(3, to - from - 1.5), height - 1.5);
}

type Line = { curve: LoudnessCurve; pieces: readonly Piece[]; colour: string; alpha: number };

/** What is quieter by more than this than the loudest lies at the bottom. */
const RANGE_LU = 36;

export type LoudnessScale = { highest: number; lowest: number };

export function loudnessScale(curves: readonly (LoudnessCurve | null)[], target: number | null): LoudnessScale | null {
  let highest = target ?? -Infinity;
  for (const curve of curves) for (const lufs of curve?.lufs ?? []) if (lufs > highest) highest = lufs;
  return Number.isFinite(highest) ? { highest: highest + 3, lowest: highest - RANGE_LU } : null;
}

export function drawLoudness(pen: Pen, lines: readonly Line[], scale: LoudnessScale, target: number | null, stretch: Stretch, words: string): void {
  const { context, width, height, colours } = pen;
  const y = (lufs: number) => ((scale.highest - Math.max(scale.lowest, lufs)) / (scale.highest - scale.lowest)) * (height - 2) + 1;
  for (const { curve, pieces, colour, alpha } of lines) {
    context.strokeStyle = colour;
    context.globalAlpha = alpha;
    context.lineWidth = 1.5;
    context.beginPath();
    let down = false;
    for (let x = 0; x < width; x += 1) {
      const from = sourceAt(pieces, timeAt(stretch, width, x)) * (1000 / curve.interval_ms);
      const to = sourceAt(pieces, timeAt(stretch, width, x + 1)) * (1000 / curve.interval_ms);
      const lufs = loudest(curve.lufs, from, to);
      if (Number.isNaN(lufs)) {
        down = false;
        continue;
      }
      if (down) context.lineTo(x, y(lufs));
      else context.moveTo(x, y(lufs));
      down = true;
    }
    context.stroke();
  }
  context.globalAlpha = 1;
  if (target === null) return;
  context.strokeStyle = colours.target;
  context.setLineDash([6, 4]);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, Math.round(y(target)) + 0.5);
  context.lineTo(width, Math.round(y(target)) + 0.5);
  context.stroke();
  context.setLineDash([]);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "bottom";
  const wide = context.measureText(words).width;
  const below = y(target) < 16;
  context.fillStyle = colours.stage;
  context.globalAlpha = 0.75;
  context.fillRect(width - wide - 10, below ? y(target) + 2 : y(target) - 15, wide + 6, 13);
  context.globalAlpha = 1;
  context.fillStyle = colours.target;
  context.fillText(words, width - wide - 7, below ? y(target) + 15 : y(target) - 2);
}

/** Over many values the loudest, between two of them what lies between. */
function loudest(lufs: Float32Array, from: number, to: number): number {
  if (to - from >= 1) {
    let highest = Number.NaN;
    for (let at = Math.floor(from); at < to; at += 1) {
      const value = lufs[at] ?? Number.NaN;
      if (!(value <= highest)) highest = Number.isNaN(value) ? highest : value;
    }
    return highest;
  }
  const left = lufs[Math.floor(from)] ?? Number.NaN;
  const right = lufs[Math.floor(from) + 1] ?? left;
  return left + (right - left) * (from - Math.floor(from));
}
