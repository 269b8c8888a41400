// The rule of the HTML standard's `input type=email`, as the server's jobs/src/email.rs has it, so
// that page and server agree: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address

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
  if (address === "") return "Type your e-mail address.";
  if (isEmail(address)) return null;
  if (address.length > LENGTH_MAX) return `This is longer than the ${LENGTH_MAX} characters an e-mail address may have.`;
  if (!address.includes("@")) return "An e-mail address needs an @, as in name@example.org.";
  return `“${address.slice(0, 80)}” is not an e-mail address; it should look like name@example.org.`;
}
