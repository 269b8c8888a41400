import { beforeEach, describe, expect, it } from "vitest";
import type { Deck, Hearing } from "./deck";
import type { Heard } from "./gains";
import { Transport } from "./transport";

/** A player whose time the test moves. */
class FakeDeck implements Deck {
  kinds: readonly Heard[] = ["original", "corrected", "removed"];
  time_s = 0;
  playing = false;
  hearing: Hearing | null = null;
  closed = false;
  hear(hearing: Hearing) {
    this.hearing = hearing;
  }
  play() {
    this.playing = true;
    return Promise.resolve();
  }
  pause() {
    this.playing = false;
  }
  seek(at_s: number) {
    this.time_s = at_s;
  }
  close() {
    this.closed = true;
  }
}

let deck: FakeDeck;
let transport: Transport;

beforeEach(() => {
  deck = new FakeDeck();
  transport = new Transport();
  transport.know(60, { original: 1, corrected: 0.5 });
  transport.use(deck);
});

describe("the transport", () => {
  it("switches to the other version and back, at the same place", () => {
    deck.time_s = 12;
    transport.other();
    expect(deck.hearing).toEqual({ heard: "original", matched: true, volumes: { original: 1, corrected: 0.5 } });
    transport.other();
    expect(deck.hearing?.heard).toBe("corrected");
    transport.hear("removed");
    transport.other();
    expect(transport.getState().heard).toBe("corrected");
    expect(deck.time_s).toBe(12);
  });

  it("does not play what the player cannot", () => {
    deck.kinds = ["original", "corrected"];
    transport.use(deck);
    transport.hear("removed");
    expect(transport.getState().heard).toBe("corrected");
  });

  it("goes on with another player from the same place", () => {
    deck.time_s = 33;
    const next = new FakeDeck();
    transport.use(next);
    expect(deck.closed).toBe(true);
    expect(next.time_s).toBe(33);
    expect(next.playing).toBe(false);
    next.playing = true;
    const last = new FakeDeck();
    transport.use(last);
    expect(last.playing).toBe(true);
  });

  it("begins again where it is at the end", () => {
    deck.time_s = 60;
    transport.play();
    expect(deck.time_s).toBe(0);
    expect(deck.playing).toBe(true);
  });

  it("stays within the recording", () => {
    transport.seek(-4);
    expect(transport.time_s).toBe(0);
    transport.seek(400);
    expect(transport.time_s).toBe(60);
  });

  it("goes round in a loop, from its beginning where it starts outside", () => {
    transport.setLoop({ from_s: 10, to_s: 14 });
    deck.time_s = 30;
    transport.play();
    expect(deck.time_s).toBe(10);
    deck.time_s = 14.01;
    transport.sync();
    expect(deck.time_s).toBe(10);
    transport.toggleLooping();
    deck.time_s = 14.01;
    transport.sync();
    expect(deck.time_s).toBe(14.01);
  });

  it("makes a loop of two presses, in either order", () => {
    transport.seek(10);
    transport.loopFromHere();
    expect(transport.getState().loop).toEqual({ from_s: 10, to_s: 60 });
    transport.seek(14);
    transport.loopToHere();
    expect(transport.getState().loop).toEqual({ from_s: 10, to_s: 14 });
    transport.seek(20);
    transport.loopFromHere();
    expect(transport.getState().loop).toEqual({ from_s: 20, to_s: 60 });
    transport.seek(5);
    transport.loopToHere();
    expect(transport.getState().loop).toEqual({ from_s: 0, to_s: 5 });
  });

  it("tells of a place that somebody else has chosen", () => {
    const before = transport.getState().jumps;
    deck.time_s = 20;
    transport.moved();
    expect(transport.getState().jumps).toBe(before + 1);
    expect(transport.time_s).toBe(20);
  });

  it("tells whoever listens what has changed, and no more after the end", () => {
    let told = 0;
    transport.subscribe(() => (told += 1));
    transport.play();
    transport.sync();
    expect(transport.getState().playing).toBe(true);
    expect(told).toBe(1);
    transport.sync();
    expect(told).toBe(1);
    transport.close();
    const after = told;
    transport.seek(3);
    expect(told).toBe(after);
  });
});
