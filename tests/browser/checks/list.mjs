// The list of one's own recordings: other tabs, correcting again, deleting, and other people.

import assert from "node:assert/strict";
import { assertAccessible, openPage } from "../browser.mjs";
import { eventually } from "../tally.mjs";
import { entry, playerOf, playsOn, sendFile, voiceFile, waitForStatus } from "./steps.mjs";

export async function listChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);
  const talk = entry(page, "talk.wav");

  await tally.chapter(
    "The list",
    [
      [
        "what one tab sends appears and is followed in another tab",
        async () => {
          const other = await context.newPage();
          await other.goto("/");
          await other.getByText("Nothing yet").waitFor();
          await sendFile(page, voiceFile("talk.wav"));
          await entry(other, "talk.wav").waitFor();
          await waitForStatus(entry(other, "talk.wav"), "completed");
          await other.close();
          await waitForStatus(talk, "completed");
        },
      ],
      [
        "a recording can be corrected again with another preset",
        async () => {
          await talk.getByText("Correct it again").click();
          await talk.getByLabel("Correct it for").selectOption({ label: "Loudness only" });
          await talk.getByRole("button", { name: "Start" }).click();
          await eventually("there are two corrections", async () => {
            return (await talk.locator('[data-status="completed"]').count()) === 2;
          }, 60_000);
          await talk.getByText("Loudness only").first().waitFor();
          await assertAccessible(page);
          await shot(page, "two-corrections");
        },
      ],
      [
        "the newest recording is on top",
        async () => {
          await sendFile(page, voiceFile("second.wav", 1));
          await waitForStatus(entry(page, "second.wav"), "completed");
          const names = await page.getByRole("listitem").getByRole("heading").allInnerTexts();
          assert.match(names[0], /second\.wav/);
          assert.match(names[1], /talk\.wav/);
        },
      ],
      [
        "an entry opens and closes by keyboard",
        async () => {
          const toggle = talk.getByRole("button", { name: "talk.wav" });
          const before = await toggle.getAttribute("aria-expanded");
          await toggle.focus();
          await page.keyboard.press("Enter");
          assert.notEqual(await toggle.getAttribute("aria-expanded"), before);
          await page.keyboard.press("Space");
          assert.equal(await toggle.getAttribute("aria-expanded"), before);
        },
      ],
      [
        "a job under way can be cancelled, and its recording stays",
        async () => {
          await sendFile(page, voiceFile("long.wav", 480));
          const long = entry(page, "long.wav");
          await long.getByRole("button", { name: "Cancel", exact: true }).click();
          await waitForStatus(long, "cancelled");
          await playsOn(playerOf(long, "original"), "the recording");
          await long.getByLabel("Correct it for").waitFor();
        },
      ],
      [
        "another person sees none of it, and cannot fetch it by its address",
        async () => {
          const id = await talk.getAttribute("data-recording");
          const stranger = await openPage(browser, url);
          await stranger.page.getByText("Nothing yet").waitFor();
          const status = await stranger.page.evaluate(
            async (wanted) => (await fetch(`/api/v1/recordings/${wanted}/audio`)).status,
            id,
          );
          assert.equal(status, 404);
          await stranger.context.close();
        },
      ],
      [
        "deleting asks first; Escape keeps the recording and gives the focus back",
        async () => {
          await open(talk);
          await talk.getByRole("button", { name: "Delete" }).click();
          const dialog = page.getByRole("dialog", { name: "Delete this recording?" });
          await dialog.waitFor();
          await assertAccessible(page);
          await shot(page, "delete");
          await page.keyboard.press("Escape");
          await dialog.waitFor({ state: "detached" });
          const focused = await page.evaluate(() => document.activeElement?.textContent);
          assert.equal(focused, "Delete");
        },
      ],
      [
        "deleted, it is gone, also after a reload",
        async () => {
          await talk.getByRole("button", { name: "Delete" }).click();
          await page.getByRole("button", { name: "Delete it" }).click();
          await talk.waitFor({ state: "detached" });
          await page.reload();
          await entry(page, "second.wav").waitFor();
          assert.equal(await talk.count(), 0);
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-list"),
  );
  await context.close();
}

async function open(recording) {
  const toggle = recording.getByRole("heading").getByRole("button");
  if ((await toggle.getAttribute("aria-expanded")) === "false") await toggle.click();
}
