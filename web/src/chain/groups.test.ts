import { expect, it } from "vitest";
import type { Param } from "@/api/plugins";
import { type Group, grouped, isGroup } from "./groups";

const param = (id: string, group: string): Param => ({
  id,
  group,
  label: id,
  help: "",
  unit: "",
  kind: { type: "toggle", default: false },
});

type Tree = string | readonly [string, Tree[]];

function tree(group: Group): Tree[] {
  return group.entries.map((entry) => (isGroup(entry) ? [entry.title, tree(entry)] : entry.id));
}

it("groups nest at slashes, stand where they are first named, and collect what comes later", () => {
  const params = [param("a", ""), param("b", "Low"), param("c", "High/Shelf"), param("d", "Low"), param("e", "High")];
  expect(tree(grouped(params))).toEqual(["a", ["Low", ["b", "d"]], ["High", [["Shelf", ["c"]], "e"]]]);
});

it("a group that is only slashes is none", () => {
  expect(tree(grouped([param("a", "/"), param("b", " / ")]))).toEqual(["a", "b"]);
});
