import { describe, expect, it } from "vitest";
import { Keeper } from "./keeper";
import type { KeptTake, NewTake, Vault } from "./vault";

/** As far as a keeper uses one; `room` is how many parts fit. */
class FakeVault {
  began: NewTake[] = [];
  written: [KeptTake, string][] = [];
  constructor(private readonly room = Infinity) {}
  begin(take: NewTake) {
    this.began.push(take);
    return Promise.resolve();
  }
  async append(take: KeptTake, part: Blob) {
    // The later a part, the faster: order must not depend on it.
    await new Promise((resolve) => setTimeout(resolve, 5 - this.written.length));
    if (this.written.length >= this.room) throw new Error("no room");
    this.written.push([take, await part.text()]);
  }
}

const AT = new Date(2026, 10, 28, 14, 3, 0);

function part(words: string): Blob {
  return new Blob([words], { type: "audio/webm;codecs=opus" });
}

describe("what keeps a recording", () => {
  it("writes its parts in their order, numbered, with the time so far", async () => {
    const vault = new FakeVault();
    const keeper = new Keeper(vault as unknown as Vault, AT, () => undefined);
    const all = ["a", "b", "c"].map((words, at) => keeper.add(part(words), 1000 * (at + 1)));
    await Promise.all(all);
    expect(vault.began.map(({ name }) => name)).toEqual(["recording 2026-11-28 14.03.00.webm"]);
    expect(vault.written.map(([take, words]) => [take.parts, take.duration_ms, words])).toEqual([
      [0, 1000, "a"],
      [1, 2000, "b"],
      [2, 3000, "c"],
    ]);
    expect(keeper.kept).toBe(true);
  });

  it("says once that there is no room, and leaves no hole behind it", async () => {
    const vault = new FakeVault(1);
    const told: unknown[] = [];
    const keeper = new Keeper(vault as unknown as Vault, AT, (error) => told.push(error));
    for (const words of ["a", "b", "c"]) await keeper.add(part(words), 1000);
    expect(told).toHaveLength(1);
    expect(keeper.kept).toBe(false);
    expect(vault.written).toHaveLength(1);
  });

  it("keeps nothing where there is no database", async () => {
    const keeper = new Keeper(null, AT, () => undefined);
    await keeper.add(part("a"), 1000);
    expect(keeper.kept).toBe(false);
  });
});
