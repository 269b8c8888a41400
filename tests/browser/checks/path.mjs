// Below a path of a host, as behind a proxy that keeps https://host/retake for us: the page, its files, the API, events
// and the cookie all stay there.

import assert from "node:assert/strict";
import { openPage } from "../browser.mjs";
import { eventually } from "../tally.mjs";
import { both, goTo, playsOn, sendFile, voiceFile, waitForStatus, workspace } from "./steps.mjs";

export async function pathChapter({ browser, url, tally }) {
  const base = new URL(url).pathname.replace(/\/$/, "");
  const { context, page, complaints, requests } = await openPage(browser, url, {
    path: `${base}/plugins`,
    heading: "Plugins",
  });
  const talk = workspace(page);

  await tally.chapter(
    `Below ${base}`,
    [
      [
        "a view's own address opens it, and its links stay below the path",
        async () => {
          assert.equal(new URL(page.url()).pathname, `${base}/plugins`);
          await goTo(page, "Recordings");
          await page.getByRole("heading", { name: "Your recordings" }).waitFor();
          assert.equal(new URL(page.url()).pathname, `${base}/recordings`);
          await goTo(page, "New");
          assert.equal(new URL(page.url()).pathname, `${base}/`);
        },
      ],
      [
        "a recording is sent, followed by events and played",
        async () => {
          await sendFile(page, voiceFile("talk.wav"));
          await waitForStatus(talk, "completed");
          await page.reload();
          await waitForStatus(talk, "completed");
          assert.ok(new URL(page.url()).pathname.startsWith(`${base}/recordings/`));
          await playsOn(await both(page), "both in one");
        },
      ],
      [
        "nothing was asked for outside of the path, and nothing complained",
        async () => {
          assert.deepEqual(complaints, []);
          const outside = requests.filter((request) => !request.split(" ")[1].startsWith(`${base}/`));
          assert.deepEqual(outside, []);
          assert.ok(requests.some((request) => request === `GET ${base}/api/v1/events`));
        },
      ],
      [
        "the session's cookie is kept for the path alone",
        async () => {
          const session = (await context.cookies()).find((cookie) => cookie.name.startsWith("retake_session_"));
          assert.equal(session.path, base);
        },
      ],
      [
        "what is no page says so and leads home",
        async () => {
          const answer = await page.goto(`${base}/nothing`);
          assert.equal(answer.status(), 404);
          await page.getByRole("heading", { name: "There is no page here" }).waitFor();
          await page.getByRole("link", { name: "Go to your recordings" }).click();
          await page.getByRole("heading", { name: "Your recordings" }).waitFor();
          await eventually("the address is the start page's", async () => new URL(page.url()).pathname === `${base}/`);
        },
      ],
    ],
  );
}
