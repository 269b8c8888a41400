import { describe, expect, it } from "vitest";
import { EMPTY } from "./draft";
import { type History, type HistoryAction, beginHistory, reduceHistory } from "./history";

function after(...actions: HistoryAction[]): History {
  return actions.reduce(reduceHistory, beginHistory(EMPTY));
}

const ADD: HistoryAction = { type: "add", place: { plugin: "highpass", follow: false } };
const UNDO: HistoryAction = { type: "undo" };

function enter(entry: string, param = "cutoff-hz"): HistoryAction {
  return { type: "enter", key: "1", param, entry };
}

describe("going back", () => {
  it("takes back one change after the other, and nothing at the beginning", () => {
    expect(after(ADD, ADD, UNDO).now.steps).toHaveLength(1);
    expect(after(ADD, UNDO, UNDO).now.steps).toHaveLength(0);
  });

  it("takes a slider that was drawn for one change", () => {
    const drawn = after(ADD, enter("80"), enter("90"), enter("100"), enter("1", "other"), UNDO);
    expect(drawn.now.steps[0]?.entries).toEqual({ "cutoff-hz": "100" });
    expect(reduceHistory(drawn, UNDO).now.steps[0]?.entries).toEqual({});
  });

  it("keeps what was said against the steps out of it, and never gives a key twice", () => {
    const refused = after(ADD, { type: "refused", notes: [{ step: "1", field: "mix", detail: "No." }] }, UNDO);
    expect(refused.now.steps).toHaveLength(0);
    expect(refused.now.refusals).toBe(1);
    expect(after(ADD, UNDO, ADD).now.steps[0]?.key).toBe("2");
  });
});
