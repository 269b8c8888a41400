import { describe, expect, it } from "vitest";
import { EVERYTHING, type View, addressOf, viewAt } from "./useView";

const ALL: readonly (readonly [string, View])[] = [
  ["/", { name: "start" }],
  ["/recordings", EVERYTHING],
  ["/recordings?q=a%26b&status=failed&sort=name", { name: "recordings", search: "a&b", status: "failed", sort: "name" }],
  ["/recordings/0192", { name: "recording", id: "0192", job: null }],
  ["/recordings/0192?job=7", { name: "recording", id: "0192", job: "7" }],
  ["/plugins", { name: "plugins", plugin: null }],
  ["/plugins?id=org.a%26b%3D%2Fc", { name: "plugins", plugin: "org.a&b=/c" }],
  ["/settings", { name: "settings" }],
  ["/s/rts_a-b", { name: "shared", token: "rts_a-b" }],
];

describe("the view", () => {
  it.each(ALL)("of %s is told from the address, and leads back to it", (address, view) => {
    expect(viewAt(address)).toEqual(view);
    expect(addressOf(view)).toBe(address);
  });

  it.each([
    ["/plugins/", { name: "plugins", plugin: null }],
    ["/recordings/", EVERYTHING],
    ["/plugins?id=%", { name: "plugins", plugin: "%" }],
    ["/recordings/%", { name: "recording", id: "%", job: null }],
    ["/plugins/a", { name: "start" }],
    ["/recordings/a/b", { name: "start" }],
    ["/jobs/7?id=x", { name: "start" }],
  ] as [string, View][])("of %s is understood as well", (address, view) => {
    expect(viewAt(address)).toEqual(view);
  });

  it.each(["", "/retake", "/a/b"])("is found again below '%s'", (base) => {
    for (const [, view] of ALL) {
      const address = addressOf(view, base);
      expect(address.startsWith(`${base}/`)).toBe(true);
      expect(viewAt(address, base)).toEqual(view);
    }
  });
});
