import { expect, test } from "vitest";
import { baseOf } from "./base";

test.each([
  ["http://host:8080/_next/static/chunks/a.js", ""],
  ["https://host/retake/_next/static/chunks/a.js", "/retake"],
  ["https://host/a/b.c/_next/static/chunks/a.js?x", "/a/b.c"],
  ["https://host/other.js", ""],
])("the path before %s is '%s'", (script, base) => {
  expect(baseOf(script)).toBe(base);
});
