// English, and with that the list of all keys. `{{…}}` are values; `_one` and `_other` are chosen by `count`.

import { workspace } from "./en/workspace";
import { shell } from "./en/shell";

export const en = { ...shell, ...workspace } as const;
