// The plugins: the catalogue for everybody, publishing and removing for whoever holds the admin key.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { assertAccessible, assertNoSidewaysScroll, openPage } from "../browser.mjs";
import { chooseFile, corrections, goTo, open, opened, send, unfold, voiceFile, waitForStatus, workspace } from "./steps.mjs";

/** A published plugin is checked by a worker first. */
const CHECK_MS = 180_000;

/** A plugin that listens only; it is published and removed again. */
const LISTENER = "org.retake.test.listener";

export async function publishChapter({ browser, url, tally, shot, adminKey, plugins }) {
  const { context, page, complaints } = await openPage(browser, url, { path: "/plugins", heading: "Plugins" });
  const card = (id) => page.locator(`li[data-plugin="${id}"]`);
  const choose = async (name) => {
    const buffer = await readFile(join(plugins, name));
    await page.getByLabel("Choose a plugin").setInputFiles({ name, mimeType: "application/wasm", buffer });
  };
  const verdict = (status) => page.locator(`[data-verdict="${status}"]`).waitFor({ timeout: CHECK_MS });
  const fits = async (name) => {
    await assertNoSidewaysScroll(page);
    await assertAccessible(page);
    await shot(page, name);
  };

  await tally.chapter(
    "Plugins",
    [
      [
        "a plugin's address opens it, with its parameters, versions and digest",
        async () => {
          await card("org.retake.highpass").getByRole("heading").getByRole("button").click();
          assert.equal(new URL(page.url()).search, "?id=org.retake.highpass");
          await page.reload();
          const open = card("org.retake.highpass");
          await open.getByRole("cell", { name: /logarithmic/ }).waitFor();
          await open.getByRole("region", { name: /^Versions of/ }).locator("[data-version]").first().waitFor();
          assert.match(await open.innerText(), /[0-9a-f]{64}/);
          await fits("plugin");
        },
      ],
      [
        "the browser's own buttons go back and forth between the views",
        async () => {
          await goTo(page, "Recordings");
          await page.getByRole("heading", { name: "Your recordings" }).waitFor();
          await page.goBack();
          await card("org.retake.highpass").waitFor();
          await page.goForward();
          await page.getByRole("heading", { name: "Your recordings" }).waitFor();
        },
      ],
      [
        "what is about to be sent is still there after a look at the plugins",
        async () => {
          await goTo(page, "New");
          await chooseFile(page, voiceFile("kept.wav", 1));
          await goTo(page, "Plugins");
          await goTo(page, "New");
          await page.getByRole("heading", { name: "kept.wav" }).waitFor();
          await send(page);
          await waitForStatus(await opened(page, "kept.wav"), "completed");
        },
      ],
      [
        "a wrong admin key is refused in words, and nothing can be published with it",
        async () => {
          await goTo(page, "Plugins");
          await page.getByLabel("Admin key").fill("rtadm_wrong");
          await page.getByRole("button", { name: "Use this key" }).click();
          await page.getByText("The server does not know this key.").waitFor();
          assert.equal(await page.getByLabel("Choose a plugin").count(), 0);
          await fits("wrong-key");
        },
      ],
      [
        "the right key is held by this tab, through a reload, and nowhere that outlives it",
        async () => {
          await page.getByLabel("Admin key").fill(adminKey);
          await page.getByRole("button", { name: "Use this key" }).click();
          await page.getByLabel("Choose a plugin").waitFor({ state: "attached" });
          await page.reload();
          await page.getByLabel("Choose a plugin").waitFor({ state: "attached" });
          const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
          assert.ok(!kept.includes(adminKey));
        },
      ],
      [
        "a plugin that breaks the rules is refused, with what failed first",
        async () => {
          await choose("unfit.wasm");
          await verdict("refused");
          const checks = page.locator("[data-verdict] [data-check]");
          assert.equal(await checks.first().getAttribute("data-outcome"), "failed");
          await fits("refused-plugin");
        },
      ],
      [
        "a good one is published, and is in the catalogue without a reload",
        async () => {
          await choose("listener.wasm");
          await verdict("published");
          await card(LISTENER).waitFor();
          await fits("published-plugin");
        },
      ],
      [
        "trying it opens the chain editor on the last recording, and its job runs",
        async () => {
          await page.getByRole("region", { name: "Verdict" }).getByRole("button", { name: "Try it" }).click();
          const kept = await opened(page, "kept.wav");
          const editor = kept.getByRole("group", { name: "Your own chain" });
          await editor.locator('[data-step="listener"]').waitFor();
          await kept.getByRole("button", { name: "Correct again" }).click();
          await corrections(page, 2);
          await unfold(kept, "What each step did");
          const heard = kept.locator('li[data-step="listener"][data-skipped="false"]');
          await unfold(heard, "Numbers");
          await heard.getByText("Frames", { exact: true }).waitFor();
          await fits("tried-plugin");
        },
      ],
      [
        "removing a version asks first; then it is gone from the catalogue, and the report stays",
        async () => {
          await goTo(page, "Plugins");
          await card(LISTENER).getByRole("heading").first().getByRole("button").click();
          await card(LISTENER).getByText("What the check found").waitFor();
          await card(LISTENER).getByRole("button", { name: /^Remove/ }).click();
          await assertAccessible(page);
          await page.getByRole("button", { name: "Remove it" }).click();
          await card(LISTENER).waitFor({ state: "detached" });
          await open(page, "kept.wav");
          await page.reload();
          const kept = workspace(page);
          await unfold(kept, "What each step did");
          await kept.locator('li[data-step="listener"][data-skipped]').waitFor();
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-publish"),
  );
  await context.close();
}
