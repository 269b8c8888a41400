// A plugin's parameters under their headings: "A/B" is B within A. Order is the author's; a heading
// stands where its first parameter stands.

import type { Param } from "@/api/plugins";

export type Group = { title: string; path: string; entries: (Param | Group)[] };

export function isGroup(entry: Param | Group): entry is Group {
  return "entries" in entry;
}

export function grouped(params: readonly Param[]): Group {
  const root: Group = { title: "", path: "", entries: [] };
  for (const param of params) {
    const names = param.group.split("/").map((name) => name.trim()).filter((name) => name !== "");
    names.reduce(within, root).entries.push(param);
  }
  return root;
}

function within(group: Group, title: string): Group {
  const path = `${group.path}/${title}`;
  const known = group.entries.filter(isGroup).find((entry) => entry.path === path);
  if (known !== undefined) return known;
  const added: Group = { title, path, entries: [] };
  group.entries.push(added);
  return added;
}
