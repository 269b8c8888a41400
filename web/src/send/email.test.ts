import { describe, expect, it } from "vitest";
import { emailTrouble, isEmail } from "./email";

// The same addresses as in jobs/src/email.rs.
const GOOD = ["a@b", "ann.lee+x@example.org", "o'hara@sub.example.co.uk", " ann@example.org "];
const LONG = `${"a".repeat(250)}@example.org`;
const BAD = ["", "ann", "@b", "a@", "a@-b", "a@b-", "a@b..c", "a b@c", "a@b c", "a@b@c", LONG];

describe("the e-mail rule", () => {
  it.each(GOOD)("takes %j", (address) => expect(isEmail(address)).toBe(true));
  it.each(BAD)("refuses %j", (address) => expect(isEmail(address)).toBe(false));

  it("allows labels of 63 characters and not of 64", () => {
    expect(isEmail(`a@${"b".repeat(63)}.org`)).toBe(true);
    expect(isEmail(`a@${"b".repeat(64)}.org`)).toBe(false);
  });

  it("allows 254 characters and not 255", () => {
    expect(isEmail(`${"a".repeat(252)}@b`)).toBe(true);
    expect(isEmail(`${"a".repeat(253)}@b`)).toBe(false);
  });

  it("does not take letters beyond ASCII", () => expect(isEmail("ann@exämple.org")).toBe(false));

  it("says what is wrong only where something is", () => {
    for (const address of GOOD) expect(emailTrouble(address)).toBeNull();
    for (const address of BAD) expect(emailTrouble(address)).toMatch(/e-mail address/);
  });
});
