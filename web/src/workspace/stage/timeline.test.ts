import { describe, expect, it } from "vitest";
import { clamped, following, moved, showing, span, ticks, timeAt, whole, xOf, zoomed } from "./timeline";

const HOUR = 3600;

describe("the stretch that is shown", () => {
  it("stays within the recording, and as long as it was", () => {
    expect(clamped({ from_s: -5, to_s: 5 }, 60)).toEqual({ from_s: 0, to_s: 10 });
    expect(clamped({ from_s: 55, to_s: 65 }, 60)).toEqual({ from_s: 50, to_s: 60 });
    expect(clamped({ from_s: -5, to_s: 500 }, 60)).toEqual({ from_s: 0, to_s: 60 });
  });

  it("is never shorter than can be drawn, unless the recording is", () => {
    expect(span(clamped({ from_s: 3, to_s: 3.01 }, 60))).toBe(1);
    expect(clamped({ from_s: 0.1, to_s: 0.2 }, 0.4)).toEqual({ from_s: 0, to_s: 0.4 });
  });

  it("keeps what is under the pointer there while it is zoomed", () => {
    for (const anchor of [100, 130, 199]) {
      const before = { from_s: 100, to_s: 200 };
      const after = zoomed(before, HOUR, 0.5, anchor);
      expect(span(after)).toBeCloseTo(50);
      expect(xOf(after, 1000, anchor)).toBeCloseTo(xOf(before, 1000, anchor));
    }
  });

  it("zoomed out ends with the whole, and in with a second", () => {
    expect(zoomed({ from_s: 10, to_s: 20 }, 60, 100, 15)).toEqual(whole(60));
    expect(span(zoomed({ from_s: 10, to_s: 20 }, 60, 0.0001, 15))).toBe(1);
  });

  it("moves up to the ends", () => {
    expect(moved({ from_s: 10, to_s: 20 }, 60, 5)).toEqual({ from_s: 15, to_s: 25 });
    expect(moved({ from_s: 10, to_s: 20 }, 60, 500)).toEqual({ from_s: 50, to_s: 60 });
    expect(moved({ from_s: 10, to_s: 20 }, 60, -500)).toEqual({ from_s: 0, to_s: 10 });
  });

  it("turns like a page when the sound leaves it, and stays the same object until then", () => {
    const page = { from_s: 10, to_s: 20 };
    expect(following(page, 60, 20)).toBe(page);
    expect(following(page, 60, 20.5)).toEqual({ from_s: 20.5, to_s: 30.5 });
    expect(following(page, 60, 3)).toEqual({ from_s: 3, to_s: 13 });
  });

  it("shows a moment in its middle where it was out of sight", () => {
    expect(showing({ from_s: 10, to_s: 20 }, 60, 40)).toEqual({ from_s: 35, to_s: 45 });
  });

  it("knows the time at a pixel, and the pixel of a time", () => {
    const stretch = { from_s: 30, to_s: 90 };
    for (const x of [0, 17, 1440]) expect(xOf(stretch, 1440, timeAt(stretch, 1440, x))).toBeCloseTo(x);
  });
});

describe("the ruler", () => {
  it("has marks at round times, with room between them", () => {
    const labels = (from_s: number, to_s: number, width: number) => ticks({ from_s, to_s }, width).map((tick) => tick.label);
    expect(labels(0, 49, 1000)).toEqual(["0:00", "0:05", "0:10", "0:15", "0:20", "0:25", "0:30", "0:35", "0:40", "0:45"]);
    expect(labels(1.05, 1.5, 500)).toEqual(["0:01.1", "0:01.2", "0:01.3", "0:01.4", "0:01.5"]);
    expect(labels(0, 4 * HOUR, 800)).toEqual(["0:00", "30:00", "1:00:00", "1:30:00", "2:00:00", "2:30:00", "3:00:00", "3:30:00", "4:00:00"]);
  });

  it("never has more than fit", () => {
    for (const length of [1, 7, 61, 1000, 14_400, 100_000]) {
      for (const width of [296, 1440, 3800]) {
        const found = ticks({ from_s: 0.3, to_s: 0.3 + length }, width);
        expect(found.length).toBeLessThanOrEqual(width / 90 + 1);
      }
    }
  });
});
