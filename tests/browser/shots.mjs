// Screenshots, numbered in the order in which they were taken; none without a folder.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

export function shots(folder) {
  let count = 0;
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  return async (page, name) => {
    if (folder === undefined) return;
    count += 1;
    const file = `${String(count).padStart(2, "0")}-${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`;
    await page.screenshot({ path: join(folder, file), fullPage: true });
  };
}
