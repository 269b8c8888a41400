// A slider's geometry: whole positions from 0 to `positions`, and the values they stand for. One press
// of an arrow key moves by one position, and always changes the value.

import type { FloatKind, IntKind } from "@/api/plugins";

/** Where the author states no step. */
const POSITIONS = 200;

/** More than a slider can be dragged to or a person would press through. */
const POSITIONS_MAX = 1000;

/** Digits that matter of a value found by dragging. */
const DIGITS = 3;

export function positions(kind: FloatKind | IntKind): number {
  if (isLogarithmic(kind)) return POSITIONS;
  const step = stepOf(kind);
  if (step === null) return POSITIONS;
  return Math.min(POSITIONS_MAX, Math.max(1, Math.round((kind.max - kind.min) / step)));
}

/** The nearest position; values outside the range are at its ends. */
export function positionOf(kind: FloatKind | IntKind, value: number): number {
  const held = clamp(value, kind.min, kind.max);
  const span = kind.max - kind.min;
  if (span <= 0) return 0;
  const fraction = isLogarithmic(kind) ? Math.log(held / kind.min) / Math.log(kind.max / kind.min) : (held - kind.min) / span;
  return Math.round(fraction * positions(kind));
}

/** The value at a position, a multiple of the author's step counted from the minimum. */
export function valueAt(kind: FloatKind | IntKind, position: number): number {
  const fraction = clamp(position / positions(kind), 0, 1);
  if (fraction === 0) return kind.min;
  if (fraction === 1) return kind.max;
  const exact = isLogarithmic(kind)
    ? kind.min * (kind.max / kind.min) ** fraction
    : kind.min + (kind.max - kind.min) * fraction;
  return snapped(kind, exact);
}

/** Where a slider that stood at `value` leads when it is moved to a position. */
export function moved(kind: FloatKind | IntKind, value: number, position: number): number {
  const before = positionOf(kind, value);
  const next = valueAt(kind, position);
  const step = stepOf(kind);
  // On a logarithmic slider several low positions lie within one step.
  if (step !== null && position !== before && next === value) {
    return tidy(clamp(value + (position > before ? step : -step), kind.min, kind.max));
  }
  return next;
}

function snapped(kind: FloatKind | IntKind, value: number): number {
  const step = stepOf(kind);
  if (step !== null) {
    return tidy(clamp(kind.min + Math.round((value - kind.min) / step) * step, kind.min, kind.max));
  }
  const coarse = isLogarithmic(kind) ? Math.abs(value) : (kind.max - kind.min) / POSITIONS;
  const digits = isLogarithmic(kind) ? DIGITS - 1 : 1;
  const unit = 10 ** (Math.floor(Math.log10(coarse)) - digits);
  return tidy(clamp(Math.round(value / unit) * unit, kind.min, kind.max));
}

function stepOf(kind: FloatKind | IntKind): number | null {
  if (kind.type === "int") return 1;
  return kind.step !== null && kind.step > 0 ? kind.step : null;
}

function isLogarithmic(kind: FloatKind | IntKind): boolean {
  return kind.type === "float" && kind.scale === "logarithmic" && kind.min > 0 && kind.max > kind.min;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** 0.1 + 0.2 is 0.3 for people. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
