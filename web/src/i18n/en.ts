// English, and with that the list of all keys. `{{…}}` are values; `_one` and `_other` are chosen by `count`.

import { chain } from "./en/chain";
import { report } from "./en/report";
import { send } from "./en/send";
import { workspace } from "./en/workspace";
import { settings } from "./en/settings";
import { shell } from "./en/shell";

export const en = { ...shell, ...send, ...workspace, ...chain, ...report, ...settings } as const;
