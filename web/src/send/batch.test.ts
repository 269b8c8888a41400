import { describe, expect, it } from "vitest";
import type { Take } from "@/recording/take";
import { type Batch, type BatchAction, next, reduceBatch } from "./batch";

function take(key: string): Take {
  return { key, blob: new Blob(["x"]), name: `${key}.wav`, duration_ms: null, source: "file", cutShort: false, kept: false };
}

const TROUBLE = { title: "t", detail: "d", next: "n", request_id: null };

function after(...actions: BatchAction[]): Batch {
  return actions.reduce<Batch>(reduceBatch, []);
}

const ADDED: BatchAction = { type: "added", takes: [take("a"), take("b"), take("c")] };

const phases = (batch: Batch) => batch.map(({ take: { key }, state: { phase } }) => `${key} ${phase}`);

describe("what is to be sent", () => {
  it("is added once, in order, also while others are sent", () => {
    const batch = after(ADDED, { type: "send" }, { type: "added", takes: [take("b"), take("d")] });
    expect(phases(batch)).toEqual(["a waiting", "b waiting", "c waiting", "d ready"]);
  });

  it("goes when it was accepted, and stays with what went wrong when it was not", () => {
    const batch = after(
      ADDED,
      { type: "send" },
      { type: "progress", key: "a", fraction: 0.5 },
      { type: "accepted", key: "a" },
      { type: "failed", key: "b", trouble: TROUBLE },
    );
    expect(phases(batch)).toEqual(["b failed", "c waiting"]);
    expect(phases(reduceBatch(batch, { type: "send" }))).toEqual(["b waiting", "c waiting"]);
  });

  it("is here again when it was cancelled, and late words of it change nothing", () => {
    const batch = after(ADDED, { type: "send" }, { type: "cancelled" }, { type: "progress", key: "a", fraction: 0.9 });
    expect(phases(batch)).toEqual(["a ready", "b ready", "c ready"]);
  });

  it("is sent a few at a time, the first first", () => {
    const batch = after(ADDED, { type: "send" });
    const keys = (begun: string[]) => next(batch, new Set(begun), 2).map(({ key }) => key);
    expect(keys([])).toEqual(["a", "b"]);
    expect(keys(["a"])).toEqual(["b"]);
    expect(keys(["a", "b"])).toEqual([]);
    expect(next(after(ADDED), new Set(), 2)).toEqual([]);
  });
});
