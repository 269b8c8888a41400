import { describe, expect, it } from "vitest";
import { type Outcome, parseCheckReport, parseSubmission } from "@/api/check";
import { parseParam, parsePlugin } from "@/api/plugins";
import { inReadingOrder, outcomeCounts } from "./checks";
import { defaultWords, facts, range } from "./facts";

const check = (id: string, outcome: Outcome) => ({ id, title: id, outcome, detail: "" });
const REPORT = {
  digest: "ab",
  passed: false,
  manifest: null,
  checks: [check("imports", "passed"), check("latency", "warned"), check("length", "failed"), check("dc", "skipped")],
  cost: { realtime_factor: 120.5, memory_bytes: 2_097_152 },
};

describe("a check report", () => {
  it("shows first what failed, then what may be wrong, then the rest", () => {
    const { telling, quiet } = inReadingOrder(parseCheckReport(REPORT).checks);
    expect(telling.map((entry) => entry.id)).toEqual(["length", "latency"]);
    expect(quiet.map((entry) => entry.id)).toEqual(["imports", "dc"]);
  });

  it("is counted in words", () => {
    expect(outcomeCounts(parseCheckReport(REPORT).checks)).toBe("1 failed, 1 warning, 1 passed, 1 not checked.");
    expect(outcomeCounts([])).toBe("Nothing was checked.");
  });

  it("is refused where an outcome is unknown: a failure must not pass for something else", () => {
    const odd = { ...REPORT, checks: [{ ...check("x", "passed"), outcome: "exploded" }] };
    expect(() => parseCheckReport(odd)).toThrow("check.checks[0].outcome");
  });
});

it("a submission is read at each of its stages", () => {
  const checking = { id: "s", status: "checking", digest: "ab" };
  expect(parseSubmission(checking)).toMatchObject({ status: "checking", plugin: null, check: null });
  const published = { ...checking, status: "published", plugin: { id: "a.b", version: "1.0.0" }, check: REPORT };
  expect(parseSubmission(published).plugin).toEqual({ id: "a.b", version: "1.0.0" });
  const error = { type: "/problems/plugin-version-exists", title: "t", status: 409, detail: "d" };
  expect(parseSubmission({ ...checking, status: "refused", error }).error?.status).toBe(409);
});

describe("a manifest in words", () => {
  const cutoff = parseParam({
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
  });

  it("states ranges and defaults with their unit", () => {
    expect(range(cutoff)).toBe("10 to 300 Hz, logarithmic, in steps of 1");
    expect(defaultWords(cutoff)).toBe("80 Hz");
  });

  it("leaves out what the author left out", () => {
    const plugin = parsePlugin({
      id: "a.b",
      name: "B",
      version: "1.0.0",
      vendor: "",
      summary: "",
      license: "",
      params: [cutoff].map((param) => ({ ...param, ...param.kind })),
      passes: { analyze: true, process: false },
      channels: "linked",
      max_channels: 2,
      sample_rates: [44_100, 48_000],
      block_quantum: 480,
      extras: [["length", "may-shorten"]],
      digest: "ab",
    });
    const said = new Map(facts(plugin));
    expect(said.has("From")).toBe(false);
    expect(said.get("Sample rates")).toBe("44.1 kHz, 48 kHz");
    expect(said.get("Channels")).toBe("All together, at most 2");
    expect(said.get("Length")).toBe("may-shorten");
    expect(said.get("What it does with audio")).toMatch(/^Listens only/);
  });
});
