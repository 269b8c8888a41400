// When things go wrong: no microphone, not audio, no server.

import assert from "node:assert/strict";
import { assertAccessible, openPage } from "../browser.mjs";
import { eventually } from "../tally.mjs";
import { chooseFile, entry, opened, send, sendFile, voiceFile, waitForStatus } from "./steps.mjs";

/** Makes the browser answer as it does when the person says no, or when there is nothing to allow. */
function microphoneFails(name) {
  return `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("test", "${name}"));`;
}

export async function troubleChapter({ browser, url, tally, shot }) {
  for (const [error, words] of [
    ["NotAllowedError", "The microphone is not allowed here"],
    ["NotFoundError", "No microphone was found"],
  ]) {
    const { context, page } = await openPage(browser, url, { init: microphoneFails(error) });
    await tally.chapter(
      `The microphone fails with ${error}`,
      [
        [
          "this is said in words, and a file can still be chosen",
          async () => {
            await page.getByRole("button", { name: "Record", exact: true }).click();
            await page.getByRole("alert").filter({ hasText: words }).waitFor();
            await assertAccessible(page);
            await shot(page, error);
            await chooseFile(page, voiceFile("instead.wav", 1));
          },
        ],
      ],
      () => shot(page, `failure-${error}`),
    );
    await context.close();
  }

  const { context, page } = await openPage(browser, url);
  await tally.chapter(
    "What is sent, or the way there, is bad",
    [
      [
        "what is not audio is refused in words that say what to do",
        async () => {
          const noise = Buffer.from("This is a letter, and no sound at all. ".repeat(50));
          await chooseFile(page, { name: "letter.wav", mimeType: "audio/wav", buffer: noise });
          await send(page);
          // By the server at once or by the worker later: the person is told in either case.
          await page.getByText("Send it as WebM, Ogg, MP4, WAV, FLAC, MP3 or AIFF").first().waitFor({ timeout: 60_000 });
          await assertAccessible(page);
          await shot(page, "not-audio");
        },
      ],
      [
        "with the network gone, sending says so and loses nothing; with it back, it is sent",
        async () => {
          await page.goto("/");
          await chooseFile(page, voiceFile("offline.wav", 1));
          await context.setOffline(true);
          await send(page);
          await page.getByRole("alert").filter({ hasText: "The server cannot be reached" }).waitFor();
          await page.getByRole("heading", { name: "offline.wav" }).waitFor();
          await context.setOffline(false);
          await page.getByRole("button", { name: "Send", exact: true }).click();
          await waitForStatus(await opened(page, "offline.wav"), "completed");
        },
      ],
      [
        "an upload can be cancelled and sent again",
        async () => {
          await page.goto("/");
          let release;
          const held = new Promise((resolve) => (release = resolve));
          await page.route("**/api/v1/recordings", async (route) => {
            if (route.request().method() === "POST") await held;
            await route.continue().catch(() => undefined); // it was cancelled
          });
          await chooseFile(page, voiceFile("cancelled.wav", 1));
          await send(page);
          await page.getByRole("button", { name: "Cancel", exact: true }).click();
          await page.getByRole("button", { name: "Send", exact: true }).waitFor();
          release();
          await page.unroute("**/api/v1/recordings");
          assert.equal(await entry(page, "cancelled.wav").count(), 0);
          await page.getByRole("button", { name: "Send", exact: true }).click();
          await waitForStatus(await opened(page, "cancelled.wav"), "completed");
        },
      ],
      [
        "an event stream that is refused is opened again, and the job is followed meanwhile",
        async () => {
          let refused = 0;
          await page.route("**/api/v1/events", (route) => {
            refused += 1;
            return refused <= 2 ? route.fulfill({ status: 503, body: "" }) : route.continue();
          });
          await page.goto("/");
          await sendFile(page, voiceFile("bumpy.wav", 1));
          await waitForStatus(await opened(page, "bumpy.wav"), "completed");
          await eventually("the stream is asked for a third time", () => refused >= 3);
          await page.unroute("**/api/v1/events");
        },
      ],
    ],
    () => shot(page, "failure-trouble"),
  );
  await context.close();
}
