import { describe, expect, it } from "vitest";
import type { Chain } from "@/api/chain";
import { parsePlugin } from "@/api/plugins";
import { type Draft, type DraftAction, EMPTY, type ManifestOf, chainOf, draftOf, reduceDraft, troubles } from "./draft";
import { noteAt, notesElsewhere, notesFrom } from "./pointers";
import { parseSaved, withSaved } from "./saved";
import { chainFromText, chainText } from "./text";

const HIGHPASS = parsePlugin({
  id: "org.retake.highpass",
  name: "High-pass",
  version: "1.0.0",
  vendor: "Retake",
  summary: "",
  license: "MIT",
  params: [
    {
      id: "cutoff-hz",
      label: "Cutoff",
      help: "",
      unit: "Hz",
      group: "",
      type: "float",
      min: 10,
      max: 300,
      default: 80,
      step: 1,
      scale: "logarithmic",
    },
  ],
  passes: { analyze: false, process: true },
  channels: "independent",
  max_channels: 0,
  sample_rates: [],
  block_quantum: 1,
  digest: "ab",
});

const manifestOf: ManifestOf = (step) => (step.plugin === "highpass" ? HIGHPASS : undefined);
const run = (...actions: DraftAction[]): Draft => actions.reduce(reduceDraft, EMPTY);
const add = (plugin: string): DraftAction => ({ type: "add", place: { plugin, follow: false } });
const names = (draft: Draft) => draft.steps.map((step) => step.plugin);

const FULL: Chain = {
  steps: [
    { plugin: "highpass", version: "1.0.0", params: { "cutoff-hz": 100 }, mix: 0.855, on_failure: "skip", delta: true },
    { external: "default" },
    { plugin: "diagnose", follow: true },
    { plugin: "hum", spare: { music: 1, "speech-over-music": 0.25 } },
  ],
};

describe("a chain's draft", () => {
  it("gives back the chain it was made from, and leaves out what is as it would be anyway", () => {
    expect(chainOf(draftOf(FULL), manifestOf)).toEqual(FULL);
    expect(chainOf(run(add("highpass")), manifestOf)).toEqual({ steps: [{ plugin: "highpass" }] });
  });

  it("adds, moves and removes steps, and stays as it is where there is no place to move to", () => {
    const three = run(add("a"), add("b"), add("c"));
    const [a, , c] = three.steps.map((step) => step.key);
    expect(names(reduceDraft(three, { type: "move", key: c ?? "", by: -1 }))).toEqual(["a", "c", "b"]);
    expect(names(reduceDraft(three, { type: "move", key: a ?? "", by: -1 }))).toEqual(["a", "b", "c"]);
    expect(names(reduceDraft(three, { type: "remove", key: a ?? "" }))).toEqual(["b", "c"]);
  });

  it("never gives two steps one key, also after removing and replacing", () => {
    const draft = run(add("a"), add("b"), { type: "remove", key: "1" }, add("c"), { type: "replace", chain: FULL }, add("d"));
    expect(new Set(draft.steps.map((step) => step.key)).size).toBe(5);
  });

  it("sends numbers as numbers and a reset parameter not at all", () => {
    const set = run(add("highpass"), { type: "enter", key: "1", param: "cutoff-hz", entry: "120" });
    expect(chainOf(set, manifestOf).steps[0]?.params).toEqual({ "cutoff-hz": 120 });
    const reset = reduceDraft(set, { type: "reset", key: "1", param: "cutoff-hz" });
    expect(chainOf(reset, manifestOf).steps[0]).toEqual({ plugin: "highpass" });
  });

  it("tells what is out of range before anything is sent", () => {
    const draft = run(
      add("highpass"),
      { type: "enter", key: "1", param: "cutoff-hz", entry: "5" },
      { type: "change", key: "1", field: "mix", change: { mix: "120" } },
    );
    expect(troubles(draft, manifestOf).map((note) => note.field)).toEqual(["mix", "params/cutoff-hz"]);
    expect(troubles(EMPTY, manifestOf)[0]?.detail).toMatch(/at least one step/);
    expect(troubles(run(add("highpass")), manifestOf)).toEqual([]);
  });
});

describe("what the server says against a chain", () => {
  const draft = run(add("gain"), add("highpass"));
  const notes = notesFrom(
    [
      { pointer: "/chain/steps/1/params/cutoff-hz", detail: "cutoff-hz is 5 Hz; it must be from 10 to 300" },
      { pointer: "/chain/steps/0/mix", detail: "mix is 2" },
      { pointer: "/chain/steps/0/so~1me~0thing", detail: "not known here" },
      { pointer: "/chain/steps", detail: "there are 17 steps" },
      { pointer: "/user_email", detail: "no address" },
    ],
    draft,
  );

  it("stands at the very field, by step and not by place", () => {
    expect(noteAt(notes, "2", "params/cutoff-hz")).toBe("Cutoff-hz is 5 Hz; it must be from 10 to 300.");
    expect(noteAt(notes, "1", "mix")).toBe("Mix is 2.");
    expect(noteAt(notes, null, "")).toBe("There are 17 steps.");
    expect(notesElsewhere(notes, "1", new Set(["mix"]))).toEqual([
      { step: "1", field: "so/me~thing", detail: "Not known here." },
    ]);
    expect(notes).toHaveLength(4);
  });

  it("ends when the field is changed or the step is removed, and only then", () => {
    const refused = reduceDraft(draft, { type: "refused", notes });
    const fields = (after: DraftAction) => reduceDraft(refused, after).notes.map((note) => note.field);
    expect(fields({ type: "enter", key: "2", param: "cutoff-hz", entry: "80" })).not.toContain("params/cutoff-hz");
    expect(fields({ type: "enter", key: "2", param: "cutoff-hz", entry: "80" })).toContain("mix");
    expect(fields({ type: "remove", key: "1" })).toEqual(["params/cutoff-hz"]);
    expect(fields({ type: "move", key: "1", by: 1 })).toContain("params/cutoff-hz");
    expect(fields({ type: "reset", key: "2", param: null })).not.toContain("params/cutoff-hz");
  });
});

describe("a chain as text", () => {
  it("is read back as it was written, also out of a request's body", () => {
    expect(chainFromText(chainText(FULL))).toEqual({ chain: FULL });
    expect(chainFromText(JSON.stringify({ chain: FULL, format: "wav" }))).toEqual({ chain: FULL });
  });

  it.each([
    ["{", /^This is not JSON/],
    ["[]", /should be an object/],
    ['{"steps": 3}', /chain\.steps is 3/],
    ['{"steps": [{"plugin": 3}]}', /chain\.steps\[0\]\.plugin is 3/],
    ['{"steps": [{"plugin": "gain", "mix": "1"}]}', /chain\.steps\[0\]\.mix is "1"/],
    ['{"steps": [{"plugin": "gain", "parms": {}}]}', /^Step 1 has “parms”/],
    ['{"steps": [{"mix": 1}]}', /^Step 1 must have either/],
  ])("that is none is refused in words: %s", (text, words) => {
    expect(chainFromText(text)).toEqual({ trouble: expect.stringMatching(words) as string });
  });
});

describe("chains with a name", () => {
  it("are remembered once per name, and read back", () => {
    const saved = withSaved(withSaved([], " Podcast ", { steps: [] }), "Podcast", FULL);
    expect(saved).toEqual([{ name: "Podcast", chain: FULL }]);
    expect(parseSaved(JSON.stringify(saved))).toEqual(saved);
  });

  it("that cannot be read are as good as none", () => {
    for (const stored of [null, "", "{", "{}", '[{"name": 1}]']) expect(parseSaved(stored)).toEqual([]);
  });
});
