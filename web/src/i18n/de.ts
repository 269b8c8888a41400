// Deutsch: dieselben Schlüssel wie in en.ts; der Übersetzer merkt, wenn einer fehlt.

import type { Words } from ".";
import { settings } from "./de/settings";
import { shell } from "./de/shell";
import { chain } from "./de/chain";
import { form } from "./de/form";
import { list } from "./de/list";
import { report } from "./de/report";
import { send } from "./de/send";
import { workspace } from "./de/workspace";

export const de: Words = { ...shell, ...send, ...form, ...list, ...workspace, ...chain, ...report, ...settings };
