import { describe, expect, it } from "vitest";
import { type Plugin, parsePlugin, parsePluginHistory, parsePlugins } from "@/api/plugins";
import { findPlugin, mayShorten, nameInChain, search } from "./find";

const VIEW = {
  id: "org.retake.denoise",
  name: "Denoise",
  version: "1.2.0",
  vendor: "Retake",
  summary: "Takes steady noise out of speech",
  license: "MIT",
  params: [
    { id: "on", label: "On", help: "", unit: "", group: "", type: "toggle", default: true },
    { id: "n", label: "N", help: "", unit: "", group: "", type: "int", min: 1, max: 4, default: 2 },
    {
      id: "kind",
      label: "Kind",
      help: "",
      unit: "",
      group: "",
      type: "choice",
      choices: [{ id: "a", label: "A" }],
      default: "a",
    },
  ],
  passes: { analyze: false, process: true },
  channels: "independent",
  max_channels: 0,
  sample_rates: [48_000],
  block_quantum: 480,
  digest: "ab",
};

function plugin(id: string, name: string, summary: string): Plugin {
  return parsePlugin({ ...VIEW, id, name, summary });
}

const PLUGINS = [
  plugin("org.retake.denoise", "Denoise", "Takes steady noise out of speech"),
  plugin("org.retake.hum", "De-hum", "Takes mains hum and noise out"),
  plugin("com.acme.hum", "Hum eater", ""),
];

describe("reading the catalogue", () => {
  it("takes servers with and without versions", () => {
    expect(parsePlugin(VIEW)).toMatchObject({ short_name: "denoise", versions: ["1.2.0"], origin: "built_in", extras: [] });
    const published = parsePlugins({
      items: [{ ...VIEW, versions: ["1.2.0", "1.1.0"], origin: "published", published_at: "2026-11-24T00:00:00Z" }],
    });
    expect(published[0]).toMatchObject({ versions: ["1.2.0", "1.1.0"], origin: "published" });
  });

  it("reads a plugin's history", () => {
    const row = { version: "1.1.0", digest: "cd", published_at: "2026-11-23T00:00:00Z", removed_at: null };
    const history = parsePluginHistory({ ...VIEW, versions: [row] });
    expect(history.versions[0]).toMatchObject({ version: "1.1.0", removed_at: null });
    expect(history.plugin.versions).toEqual(["1.1.0"]);
  });

  it.each([
    [{ ...VIEW, params: [{ ...VIEW.params[0], type: "colour" }] }, "plugin.params[0].type"],
    [{ ...VIEW, params: [{ ...VIEW.params[1], max: "4" }] }, "plugin.params[0].max"],
    [{ ...VIEW, channels: "both" }, "plugin.channels"],
  ])("refuses a manifest it cannot make a form of: %#", (view, where) => {
    expect(() => parsePlugin(view)).toThrow(where);
  });
});

describe("finding a plugin", () => {
  it("is by id, or by short name where only one answers to it", () => {
    expect(findPlugin(PLUGINS, "denoise")?.id).toBe("org.retake.denoise");
    expect(findPlugin(PLUGINS, "hum")).toBeUndefined();
    expect(PLUGINS.map((entry) => nameInChain(PLUGINS, entry))).toEqual(["denoise", "org.retake.hum", "com.acme.hum"]);
  });

  it("is by words, those in the name first", () => {
    const found = (query: string) => search(PLUGINS, query).map((entry) => entry.id);
    expect(found("noise")).toEqual(["org.retake.denoise", "org.retake.hum"]);
    expect(found("HUM acme")).toEqual(["com.acme.hum"]);
    expect(found("")).toHaveLength(3);
    expect(found("reverb")).toEqual([]);
  });
});

it("a plugin that shortens says so in its extras", () => {
  expect(mayShorten(parsePlugin({ ...VIEW, extras: [["length", "may-shorten"]] }))).toBe(true);
  expect(mayShorten(PLUGINS[0])).toBe(false);
});
