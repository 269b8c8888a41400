import { describe, expect, it } from "vitest";
import { type Points, columns, levelFor, parseHeader, tileBytes, tilesOf } from "./peaks";

/** As docs/renditions.md describes it: two levels, 5,000 points and 1,250. */
function header(): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(80));
  for (let at = 0; at < 8; at += 1) view.setUint8(at, "RTKPEAK1".charCodeAt(at));
  for (const [at, value] of [[8, 80], [12, 48_000], [16, 1024], [20, 4], [24, 4096], [28, 2]] as const) {
    view.setUint32(at, value, true);
  }
  for (const [at, value] of [[32, 5_120_000], [48, 80], [56, 5000], [64, 10_080], [72, 1250]] as const) {
    view.setBigUint64(at, BigInt(value), true);
  }
  return view.buffer;
}

describe("the head of a peaks file", () => {
  it("tells the levels, the finest first", () => {
    expect(parseHeader(header())).toEqual({
      sampleRate: 48_000,
      frames: 5_120_000,
      tilePoints: 4096,
      levels: [
        { begin: 80, points: 5000, framesPerPoint: 1024 },
        { begin: 10_080, points: 1250, framesPerPoint: 4096 },
      ],
    });
  });

  it("is refused where it is another file's or cut off", () => {
    expect(() => parseHeader(new TextEncoder().encode("x".repeat(100)).buffer)).toThrow("no peaks");
    expect(() => parseHeader(header().slice(0, 60))).toThrow("cut off");
  });
});

describe("the points to draw with", () => {
  const parsed = parseHeader(header());

  it("are as coarse as they may be", () => {
    expect([10, 1024, 4095, 4096, 1e9].map((frames) => levelFor(parsed, frames))).toEqual([0, 0, 0, 1, 1]);
  });

  it("lie in these tiles, at these bytes", () => {
    expect(tilesOf(parsed, 0, 0, 1024 * 10)).toEqual([0, 0]);
    expect(tilesOf(parsed, 0, 1024 * 4000, 1024 * 4200)).toEqual([0, 1]);
    expect(tilesOf(parsed, 0, 1024 * 6000, 1024 * 7000)).toBeNull();
    expect(tileBytes(parsed, 0, 0)).toEqual([80, 80 + 8192]);
    expect(tileBytes(parsed, 0, 1)).toEqual([80 + 8192, 10_080]);
    expect(tileBytes(parsed, 1, 0)).toEqual([10_080, 10_080 + 2500]);
  });
});

describe("a column of pixels", () => {
  const level = { begin: 0, points: 4, framesPerPoint: 10 };
  const all: readonly (readonly [number, number])[] = [[-127, 0], [0, 127], [-64, 64], [-10, 10]];
  const points: Points = (index) => all[index] ?? null;
  const drawn = (...edges: number[]) => [...columns(level, points, Float64Array.from(edges))].map((value) => Math.round(value * 127));

  it("shows the lowest and the highest of all that it stands for: no peak is lost", () => {
    expect(drawn(0, 20, 40)).toEqual([-127, 127, -64, 64]);
    expect(drawn(0, 40)).toEqual([-127, 127]);
  });

  it("lies between two points where there are more pixels than points", () => {
    expect(drawn(9, 11)).toEqual([-63, 64]);
    expect(drawn(0, 1)).toEqual([-127, 0]);
  });

  it("is empty beyond the end, and where the points are not here yet", () => {
    expect(drawn(50, 80).every(Number.isNaN)).toBe(true);
    const missing = columns(level, (index) => (index === 1 ? null : points(index)), Float64Array.of(0, 20, 40));
    expect([...missing].map(Number.isNaN)).toEqual([true, true, false, false]);
  });
});
