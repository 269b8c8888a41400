// A link that opens one correction to somebody without an account, until it is revoked.

import assert from "node:assert/strict";
import { assertAccessible, assertNoSidewaysScroll, openPage } from "../browser.mjs";
import { both, playerOf, playsOn, sendFile, voiceFile, waitForStatus, workspace } from "./steps.mjs";

export async function shareChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);
  let link = "";
  let guest = null;

  await tally.chapter(
    "Sharing",
    [
      [
        "a link is made, which ends by itself",
        async () => {
          await sendFile(page, voiceFile("shared.wav", 2));
          await waitForStatus(workspace(page), "completed");
          await both(page);
          await page.getByRole("button", { name: "Share" }).click();
          const dialog = page.getByRole("dialog", { name: "Share" });
          await dialog.getByLabel("The link lasts").selectOption({ label: "7 days" });
          await assertAccessible(page);
          await dialog.getByRole("button", { name: "Make a link" }).click();
          link = await dialog.getByLabel("Link", { exact: true }).inputValue();
          assert.match(new URL(link).pathname, /\/s\/rts_[A-Za-z0-9_-]{43}$/);
          await dialog.getByText(/^until /).waitFor();
          await assertAccessible(page);
          await shot(page, "share");
        },
      ],
      [
        "it opens for somebody who has nothing here, who hears both and is given no files",
        async () => {
          guest = await openPage(browser, url, { path: new URL(link).pathname, heading: "shared.wav" });
          const player = playerOf(guest.page, "compare");
          await player.waitFor({ state: "attached" });
          await playsOn(player, "what was shared");
          await guest.page.keyboard.press("x");
          assert.equal(await guest.page.getByRole("radio", { name: "Original" }).isChecked(), true);
          assert.equal(await guest.page.getByText(/^Download/).count(), 0);
          assert.deepEqual(guest.requests.filter((request) => request.includes("/sessions") || request.includes("/events")), []);
          assert.ok(!(await guest.page.locator("body").innerText()).includes("ann@example.org"));
          await assertAccessible(guest.page);
          await guest.page.setViewportSize({ width: 360, height: 780 });
          await assertNoSidewaysScroll(guest.page);
          await shot(guest.page, "shared");
        },
      ],
      [
        "revoked, it opens nothing any more",
        async () => {
          await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).first().click();
          await page.getByRole("status").filter({ hasText: "The link opens nothing any more." }).waitFor();
          await page.keyboard.press("Escape");
          await guest.page.reload();
          await guest.page.getByRole("heading", { name: "This link opens nothing" }).waitFor();
          assert.deepEqual(guest.complaints, []);
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(guest?.page ?? page, "failure-share"),
  );
  await guest?.context.close();
  await context.close();
}
