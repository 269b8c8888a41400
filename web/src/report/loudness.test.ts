import { describe, expect, it } from "vitest";
import { LANE_HEIGHT, lane } from "./loudness";

const curve = (values: readonly number[], interval_ms = 100) => ({ interval_ms, lufs: Float32Array.from(values) });
const QUIET = Number.NaN;

/** Where the points of a path are. */
function pointsOf(path: string | null | undefined): [number, number][] {
  return [...(path ?? "").matchAll(/[ML](\S+?) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
}

describe("loudness over time", () => {
  it("goes from edge to edge in time, the loudest at the top, the quietest at the bottom", () => {
    const drawn = lane(curve([-30, -10]), null, null);
    expect(drawn).toMatchObject({ after: null, target: null, lowest_lufs: -30, highest_lufs: -10, length_ms: 200 });
    expect(pointsOf(drawn?.before)).toEqual([
      [25, LANE_HEIGHT - 1],
      [75, 1],
    ]);
  });

  it("has both in one scale of time and of loudness, and the target in it", () => {
    const drawn = lane(curve([-30, -30, -30, -30]), curve([-20, -20]), -10);
    expect(drawn).toMatchObject({ length_ms: 400, lowest_lufs: -30, highest_lufs: -10, target: 1 });
    expect(pointsOf(drawn?.before).map(([x]) => x)).toEqual([12.5, 37.5, 62.5, 87.5]);
    expect(pointsOf(drawn?.after)).toEqual([
      [12.5, LANE_HEIGHT / 2],
      [37.5, LANE_HEIGHT / 2],
    ]);
  });

  it("breaks where it is too quiet to be told, and shows a moment between two silences", () => {
    const drawn = lane(curve([-20, QUIET, -20, QUIET, -20, -20]), null, null);
    expect(drawn?.before?.match(/M/g)).toHaveLength(3);
    expect(drawn?.before?.match(/h0/g)).toHaveLength(3);
    expect(drawn?.before?.match(/L/g)).toHaveLength(1);
  });

  it("does not let a whisper press the rest flat", () => {
    const drawn = lane(curve([-60, -10]), null, null);
    expect(drawn?.lowest_lufs).toBe(-50);
    expect(pointsOf(drawn?.before)[0]?.[1]).toBe(LANE_HEIGHT - 1);
  });

  it("of a long recording is the mean of each stretch's energy", () => {
    const values = Array.from({ length: 24_000 }, (_, index) => (index % 2 === 0 ? -20 : QUIET));
    const drawn = lane(curve(values), null, -20);
    expect(pointsOf(drawn?.before)).toHaveLength(240);
    // Half of the energy is 3 LU less.
    expect(drawn).toMatchObject({ highest_lufs: -20, lowest_lufs: -24, length_ms: 2_400_000 });
  });

  it("of silence is nothing to draw", () => {
    expect(lane(null, null, -16)).toBeNull();
    expect(lane(curve([]), curve([QUIET, QUIET]), -16)).toBeNull();
  });

  it("that never changes has a height, too", () => {
    expect(lane(curve([-16, -16]), null, null)).toMatchObject({ highest_lufs: -16, lowest_lufs: -17 });
  });
});
