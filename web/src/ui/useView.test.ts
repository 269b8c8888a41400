import { describe, expect, it } from "vitest";
import { type View, pathOf, viewAt } from "./useView";

describe("the view", () => {
  it.each([
    ["/", { name: "recordings" }],
    ["/plugins", { name: "plugins", plugin: null }],
    ["/plugins/", { name: "plugins", plugin: null }],
    ["/plugins/org.retake.gain", { name: "plugins", plugin: "org.retake.gain" }],
    ["/plugins/a%2Fb", { name: "plugins", plugin: "a/b" }],
    ["/plugins/%", { name: "plugins", plugin: "%" }],
    ["/plugins/a/b", { name: "recordings" }],
    ["/jobs/7", { name: "recordings" }],
  ] as [string, View][])("of %s is told from the address", (path, view) => {
    expect(viewAt(path)).toEqual(view);
  });

  it("has an address that leads back to it", () => {
    for (const view of [viewAt("/"), viewAt("/plugins"), viewAt("/plugins/a%2Fb")]) {
      expect(viewAt(pathOf(view))).toEqual(view);
    }
  });
});
