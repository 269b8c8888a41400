// The settings: language and colours that last, the same recordings on another device, and everything gone at once.

import assert from "node:assert/strict";
import { assertAccessible, assertNoSidewaysScroll, openPage } from "../browser.mjs";
import { entry, goTo, sendFile, voiceFile, waitForStatus, workspace } from "./steps.mjs";

export async function settingsChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);
  const fits = async (name) => {
    await assertNoSidewaysScroll(page);
    await assertAccessible(page);
    await shot(page, name);
  };

  await tally.chapter(
    "Settings",
    [
      [
        "they have an address, which a reload keeps",
        async () => {
          await sendFile(page, voiceFile("mine.wav", 1));
          await waitForStatus(workspace(page), "completed");
          await goTo(page, "Settings");
          await page.reload();
          await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
          await fits("settings");
        },
      ],
      [
        "the page speaks German where that is chosen, everywhere and after a reload",
        async () => {
          await page.getByLabel("Language").selectOption({ label: "Deutsch" });
          await page.getByRole("heading", { name: "Einstellungen", level: 1 }).waitFor();
          await page.reload();
          await page.getByRole("heading", { name: "Einstellungen", level: 1 }).waitFor();
          assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
          await page.getByRole("link", { name: "Aufnahmen", exact: true }).click();
          await entry(page, "mine.wav").getByRole("link").click();
          await page.getByRole("radio", { name: "Bearbeitet" }).waitFor();
          await page.getByText("Was wir gehört haben").waitFor();
          await fits("german");
          await page.getByRole("link", { name: "Einstellungen" }).click();
          await page.getByLabel("Sprache").selectOption({ label: "English" });
          await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
        },
      ],
      [
        "the colours that are chosen are there after a reload, whatever the system has",
        async () => {
          const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
          const light = await ground();
          await page.getByLabel("Colours").selectOption({ label: "Dark" });
          assert.notEqual(await ground(), light);
          await page.reload();
          await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
          assert.notEqual(await ground(), light);
          await fits("settings-dark");
          await page.getByLabel("Colours").selectOption({ label: "As the system has it" });
          assert.equal(await ground(), light);
        },
      ],
      [
        "a code opens the same recordings on another device, which can be logged out from here",
        async () => {
          await page.getByRole("button", { name: "Get a code for another device" }).click();
          const code = await page.locator("[role=status] strong").innerText();
          const phone = await openPage(browser, url, { path: "/settings", heading: "Settings" });
          await phone.page.getByLabel("A code from another device").fill(code.toLowerCase());
          await phone.page.getByRole("button", { name: "Open its recordings here" }).click();
          await phone.page.getByText("One recording on the server").waitFor();
          await goTo(phone.page, "Recordings");
          await entry(phone.page, "mine.wav").waitFor();
          await page.reload();
          await page.getByRole("button", { name: "Log it out" }).click();
          await page.getByRole("button", { name: "Log it out" }).waitFor({ state: "detached" });
          await phone.page.reload();
          await phone.page.getByText("Nothing yet").filter({ visible: true }).waitFor();
          await phone.context.close();
        },
      ],
      [
        "everything is deleted at once, after asking",
        async () => {
          await page.getByRole("button", { name: "Delete everything" }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Delete everything" }).click();
          await page.getByText("0 recordings on the server").waitFor();
          await goTo(page, "Recordings");
          await page.getByText("Nothing yet").filter({ visible: true }).waitFor();
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-settings"),
  );
  await context.close();
}
