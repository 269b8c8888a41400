import { describe, expect, it } from "vitest";
import type { FloatKind, IntKind } from "@/api/plugins";
import { moved, positionOf, positions, valueAt } from "./slider";

const linear = (min: number, max: number, step: number | null = null): FloatKind => ({
  type: "float",
  min,
  max,
  default: min,
  step,
  scale: "linear",
});
const logarithmic = (min: number, max: number, step: number | null = null): FloatKind => ({
  ...linear(min, max, step),
  scale: "logarithmic",
});
const KINDS: readonly (FloatKind | IntKind)[] = [
  linear(-40, -5, 0.5),
  linear(0, 1),
  linear(-9, 0, 0.1),
  logarithmic(10, 300, 1),
  logarithmic(20, 20_000),
  { type: "int", min: 1, max: 8, default: 2 },
];

describe("a slider", () => {
  it("has its range's ends at its ends", () => {
    for (const kind of KINDS) {
      expect(valueAt(kind, 0)).toBe(kind.min);
      expect(valueAt(kind, positions(kind))).toBe(kind.max);
      expect(positionOf(kind, kind.min)).toBe(0);
      expect(positionOf(kind, kind.max)).toBe(positions(kind));
    }
  });

  it("is logarithmic where the author says so: its middle is the geometric mean", () => {
    const kind = logarithmic(20, 20_000);
    expect(valueAt(kind, positions(kind) / 2)).toBeCloseTo(632, 0);
    expect(positionOf(kind, 200)).toBe(Math.round(positions(kind) / 3));
    expect(valueAt(linear(20, 20_000), 100)).toBe(10_010);
  });

  it("never gives a value between two steps, nor digits that nobody meant", () => {
    const kind = linear(-9, 0, 0.1);
    expect(positions(kind)).toBe(90);
    for (let position = 0; position <= 90; position += 1) {
      const value = valueAt(kind, position);
      expect(String(value).length).toBeLessThanOrEqual(4);
      expect(positionOf(kind, value)).toBe(position);
    }
  });

  it("changes its value with every press of an arrow key, from one end to the other", () => {
    for (const kind of KINDS) {
      for (const direction of [1, -1]) {
        const end = direction > 0 ? kind.max : kind.min;
        let value = direction > 0 ? kind.min : kind.max;
        for (let presses = 0; value !== end; presses += 1) {
          expect(presses).toBeLessThan(2000);
          const next = moved(kind, value, positionOf(kind, value) + direction);
          expect(Math.sign(next - value)).toBe(direction);
          value = next;
        }
      }
    }
  });

  it("stands at its nearest end for values outside", () => {
    expect(positionOf(linear(0, 10, 1), -5)).toBe(0);
    expect(positionOf(logarithmic(10, 300), 9999)).toBe(200);
  });
});
