// The English words that are not needed at once: whoever shows them imports this. With what index.ts has they are the
// list of all keys. `{{…}}` are values; `_one` and `_other` are chosen by `count`.

import { addWords } from ".";
import { chain } from "./en/chain";
import { form } from "./en/form";
import { list } from "./en/list";
import { report } from "./en/report";
import { settings } from "./en/settings";
import { workspace } from "./en/workspace";

export const later = { ...workspace, ...form, ...list, ...chain, ...report, ...settings } as const;

addWords(later);
