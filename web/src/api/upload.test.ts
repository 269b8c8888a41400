import { expect, test } from "vitest";
import { keyOf } from "./upload";

const ORDER = { key: "k1", fileName: "a.wav", userEmail: "ann@example.org", wish: { preset: "auto" }, format: "auto" } as const;

test("the same order of the same recording has the same key, also after a reload, and another one has another", () => {
  expect(keyOf({ ...ORDER })).toBe(keyOf(ORDER));
  const others = [
    { ...ORDER, key: "k2" },
    { ...ORDER, userEmail: "bob@example.org" },
    { ...ORDER, wish: { preset: "music" } },
    { ...ORDER, format: "mp3" as const },
  ];
  expect(new Set([ORDER, ...others].map(keyOf)).size).toBe(5);
  expect(keyOf(ORDER)).toMatch(/^k1-[0-9a-f]{8}$/);
});
