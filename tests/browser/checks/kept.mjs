// A recording that cannot be lost: what was recorded before the browser died is offered when it is opened again.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertAccessible, openPage } from "../browser.mjs";
import { eventually } from "../tally.mjs";
import { entry, opened, playerOf, playsOn, send, waitForStatus } from "./steps.mjs";

const RECORDED_S = 4;

export async function keptChapter({ url, tally, shot, launch }) {
  // A browser of its own, which can be killed and started again with what it had written.
  const folder = await mkdtemp(join(tmpdir(), "retake-kept-"));
  let running = await launch(folder);
  let shown = await openPage(null, url, { context: running.context });

  await tally.chapter(
    "A recording that cannot be lost",
    [
      [
        "the browser is killed in the middle of a recording",
        async () => {
          const { page } = shown;
          await page.getByRole("button", { name: "Record", exact: true }).click();
          await page.getByText("Every second is kept on this device").waitFor();
          await eventually("some seconds are recorded", async () => {
            return Number((await page.getByRole("timer").innerText()).split(":")[1]) >= RECORDED_S;
          });
          await running.kill();
        },
      ],
      [
        "opened again, the page offers what was recorded, and it plays",
        async () => {
          running = await launch(folder);
          shown = await openPage(null, url, { context: running.context });
          const { page } = shown;
          await page.getByRole("heading", { name: "A recording was kept for you" }).waitFor();
          await assertAccessible(page);
          await shot(page, "kept");
          await page.getByRole("button", { name: "Listen and send" }).click();
          const seconds = await playsOn(playerOf(page, "take"), "what was kept", 0.3);
          assert.ok(seconds >= RECORDED_S - 1, `${seconds} s of ${RECORDED_S} were kept`);
        },
      ],
      [
        "it is not offered twice, and throwing away asks first",
        async () => {
          const { page } = shown;
          assert.equal(await page.getByText("A recording was kept").count(), 0);
          await page.getByRole("button", { name: "Throw away" }).click();
          await page.getByRole("dialog", { name: "Throw this recording away?" }).waitFor();
          await page.keyboard.press("Escape");
          await page.getByRole("heading", { name: "Ready to send" }).waitFor();
        },
      ],
      [
        "sent, it becomes a recording that is corrected, and is kept no longer",
        async () => {
          const { page } = shown;
          await send(page);
          await waitForStatus(await opened(page, /^recording /), "completed");
          await page.goto("/");
          await entry(page, "recording ").waitFor();
          assert.equal(await page.getByText("was kept for you").count(), 0);
        },
      ],
      [
        "a take that was stopped and not sent is offered after a reload, too",
        async () => {
          const { page } = shown;
          await page.getByRole("button", { name: "Record", exact: true }).click();
          await eventually("a second is recorded", async () => (await page.getByRole("timer").innerText()) !== "0:00");
          await page.getByRole("button", { name: "Stop" }).click();
          await page.getByRole("heading", { name: "Ready to send" }).waitFor();
          await page.reload();
          await page.getByRole("heading", { name: "A recording was kept for you" }).waitFor();
          await page.getByRole("button", { name: "Throw away" }).click();
          await page.getByRole("dialog").getByRole("button", { name: "Throw away" }).click();
          await page.getByText("was kept for you").waitFor({ state: "detached" });
          await page.reload();
          await entry(page, "recording ").waitFor();
          assert.equal(await page.getByText("was kept for you").count(), 0);
        },
      ],
    ],
    () => shot(shown.page, "failure-kept"),
  );
  await running.context.close().catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}
