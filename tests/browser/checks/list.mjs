// The list of one's own recordings: other tabs, correcting again, deleting, and other people.

import assert from "node:assert/strict";
import { assertAccessible, openPage } from "../browser.mjs";
import { eventually } from "../tally.mjs";
import { corrections, entry, goTo, open, playerOf, playsOn, sendFile, unfold, voiceFile, waitForStatus, workspace } from "./steps.mjs";

export async function listChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);
  const talk = workspace(page);

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
          await unfold(talk, "Adjust and correct again");
          await talk.getByLabel("Correct it for").selectOption({ label: "Loudness only" });
          await talk.getByRole("button", { name: "Correct again" }).click();
          await corrections(page, 2);
          const versions = talk.getByRole("navigation", { name: "Corrections of this recording" });
          assert.match(await versions.locator("[aria-current]").innerText(), /Loudness only/);
          await assertAccessible(page);
          await shot(page, "two-corrections");
        },
      ],
      [
        "the newest recording is on top",
        async () => {
          await goTo(page, "New");
          await sendFile(page, voiceFile("second.wav", 1));
          await waitForStatus(workspace(page), "completed");
          await goTo(page, "Recordings");
          await entry(page, "second.wav").waitFor();
          const names = await page.locator("li[data-recording]:visible").getByRole("link").allInnerTexts();
          assert.match(names[0], /second\.wav/);
          assert.match(names[1], /talk\.wav/);
        },
      ],
      [
        "an entry is opened by keyboard, and the browser's own buttons go back to the list and forward again",
        async () => {
          await entry(page, "talk.wav").getByRole("link").focus();
          await page.keyboard.press("Enter");
          await talk.getByRole("heading", { name: "talk.wav" }).waitFor();
          await page.goBack();
          await entry(page, "second.wav").waitFor();
          await page.goForward();
          await talk.getByRole("heading", { name: "talk.wav" }).waitFor();
        },
      ],
      [
        "an older correction has an address, which a reload keeps",
        async () => {
          await talk.getByRole("link", { name: /^1\. / }).click();
          assert.match(new URL(page.url()).search, /^\?job=/);
          await page.reload();
          assert.match(await talk.locator("[data-version] [aria-current]").innerText(), /^1\. /);
        },
      ],
      [
        "a job under way can be cancelled, and its recording stays",
        async () => {
          await goTo(page, "New");
          await sendFile(page, voiceFile("long.wav", 480));
          const long = workspace(page);
          await long.getByRole("button", { name: "Cancel", exact: true }).click();
          await waitForStatus(long, "cancelled");
          await playsOn(playerOf(long, "original"), "the recording");
          await long.getByLabel("Correct it for").waitFor();
        },
      ],
      [
        "another person sees none of it, and cannot fetch it by its address",
        async () => {
          const id = await (await open(page, "talk.wav")).getAttribute("data-recording");
          const stranger = await openPage(browser, url);
          await stranger.page.getByText("Nothing yet").waitFor();
          await stranger.page.goto(`/recordings/${id}`);
          await stranger.page.getByRole("heading", { name: "This recording is not here" }).waitFor();
          const status = await stranger.page.evaluate(
            async (wanted) => (await fetch(`/api/v1/recordings/${wanted}/audio`)).status,
            id,
          );
          assert.equal(status, 404);
          await stranger.context.close();
        },
      ],
      [
        "a recording is renamed where it stands, and found by its name, with the search in the address",
        async () => {
          await goTo(page, "Recordings");
          await page.getByRole("button", { name: "Rename talk.wav" }).click();
          const field = page.getByRole("textbox", { name: "Rename talk.wav" });
          await field.fill("The interview");
          await assertAccessible(page);
          await page.keyboard.press("Enter");
          await entry(page, "The interview").waitFor();
          await page.getByLabel("Search by name").fill("interv");
          await entry(page, "second.wav").waitFor({ state: "detached" });
          assert.equal(new URL(page.url()).search, "?q=interv");
          await page.reload();
          await entry(page, "The interview").waitFor();
          assert.equal(await entry(page, "second.wav").count(), 0);
          await page.getByLabel("Status").selectOption({ label: "Failed" });
          await page.getByText("Nothing is like that.").waitFor();
          await shot(page, "list-search");
          await page.getByLabel("Status").selectOption({ label: "Any" });
          await page.getByLabel("Search by name").fill("");
          await entry(page, "second.wav").waitFor();
          await page.getByLabel("Order").selectOption({ label: "By name" });
          await eventually("they are in their order", async () => {
            const names = await page.locator("li[data-recording]:visible").getByRole("link").allInnerTexts();
            return names.join() === "long.wav,second.wav,The interview";
          });
        },
      ],
      [
        "deleted from its workspace it is gone at once, and Undo brings it back with its corrections",
        async () => {
          await open(page, "The interview");
          await talk.getByRole("button", { name: "Delete" }).click();
          await page.getByRole("region", { name: "Deleted" }).getByText("The interview was deleted.").waitFor();
          assert.equal(await entry(page, "The interview").count(), 0);
          await assertAccessible(page);
          await shot(page, "deleted");
          await page.getByRole("button", { name: "Undo" }).click();
          await open(page, "The interview");
          await corrections(page, 2);
        },
      ],
      [
        "several are selected and deleted together, here and in another tab, and are gone after a reload",
        async () => {
          const other = await context.newPage();
          await other.goto("/recordings");
          await entry(other, "The interview").waitFor();
          await goTo(page, "Recordings");
          for (const name of ["The interview", "long.wav"]) await page.getByLabel(`Select ${name}`).check();
          const chosen = page.getByRole("group", { name: "2 selected" });
          await assertAccessible(page);
          await chosen.getByRole("button", { name: "Delete", exact: true }).click();
          await entry(page, "The interview").waitFor({ state: "detached" });
          await entry(other, "The interview").waitFor({ state: "detached" });
          await other.close();
          await page.reload();
          await entry(page, "second.wav").waitFor();
          assert.equal(await page.locator("li[data-recording]:visible").count(), 1);
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-list"),
  );
  await context.close();
}
