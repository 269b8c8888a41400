import { describe, expect, it } from "vitest";
import { type View, addressOf, viewAt } from "./useView";

describe("the view", () => {
  it.each([
    ["/", { name: "recordings" }],
    ["/plugins", { name: "plugins", plugin: null }],
    ["/plugins/", { name: "plugins", plugin: null }],
    ["/plugins?id=org.retake.gain", { name: "plugins", plugin: "org.retake.gain" }],
    ["/plugins?id=%", { name: "plugins", plugin: "%" }],
    ["/plugins/a", { name: "recordings" }],
    ["/jobs/7?id=x", { name: "recordings" }],
  ] as [string, View][])("of %s is told from the address", (address, view) => {
    expect(viewAt(address)).toEqual(view);
  });

  it("has an address that leads back to it, without a dot in its path", () => {
    for (const view of [viewAt("/"), viewAt("/plugins"), viewAt("/plugins?id=org.a%26b%3D%2Fc")]) {
      const address = addressOf(view);
      expect(viewAt(address)).toEqual(view);
      expect(address.split("?")[0]).not.toContain(".");
    }
  });

  it.each(["", "/retake", "/a/b"])("is found again below '%s'", (base) => {
    for (const view of [viewAt("/"), viewAt("/plugins"), viewAt("/plugins?id=org.a")]) {
      const address = addressOf(view, base);
      expect(address.startsWith(`${base}/`)).toBe(true);
      expect(viewAt(address, base)).toEqual(view);
    }
  });
});
