// The rule of the HTML standard's `input type=email`, as the server's jobs/src/email.rs has it, so
// that page and server agree: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address

import { t } from "@/i18n";

/** RFC 5321 4.5.3.1.3, less the angle brackets. */
const LENGTH_MAX = 254;

const RULE =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

export function isEmail(text: string): boolean {
  const address = text.trim();
  return address.length <= LENGTH_MAX && RULE.test(address);
}

/** What is wrong with the address, in words; null when nothing is. */
export function emailTrouble(text: string): string | null {
  const address = text.trim();
  if (address === "") return t("email.missing");
  if (isEmail(address)) return null;
  if (address.length > LENGTH_MAX) return t("email.long", { max: LENGTH_MAX });
  if (!address.includes("@")) return t("email.at");
  return t("email.bad", { text: address.slice(0, 80) });
}
