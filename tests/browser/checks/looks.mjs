// Small windows, dark rooms, people who want no motion: the same page.

import assert from "node:assert/strict";
import { assertAccessible, assertNoSidewaysScroll, openPage } from "../browser.mjs";
import { both, chooseFile, goTo, sendFile, voiceFile, waitForStatus, workspace } from "./steps.mjs";

const LOOKS = [
  ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }],
  ["dark", { colorScheme: "dark" }],
  ["phone dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true }],
  // What is left of a small desktop at 400 %, WCAG 1.4.10.
  ["magnified", { viewport: { width: 320, height: 256 } }],
];

const LONG = "a very long name of a recording that somebody made of the whole annual meeting of the society (final) 2.wav";

export async function looksChapter({ browser, url, tally, shot }) {
  for (const [look, options] of LOOKS) {
    const { context, page, complaints } = await openPage(browser, url, options);
    const fits = async (name) => {
      await assertNoSidewaysScroll(page);
      await assertAccessible(page);
      await shot(page, `${look}-${name}`);
    };
    await tally.chapter(
      `Looks: ${look}`,
      [
        ["the start page fits", () => fits("start")],
        [
          "recording fits",
          async () => {
            await page.getByRole("button", { name: "Record", exact: true }).click();
            await page.getByRole("timer").waitFor();
            await fits("recording");
            await page.getByRole("button", { name: "Throw away" }).click();
            await page.getByRole("dialog").getByRole("button", { name: "Throw away" }).click();
            await page.getByRole("button", { name: "Record", exact: true }).waitFor();
          },
        ],
        [
          "a long name and the form fit",
          async () => {
            await chooseFile(page, voiceFile(LONG, 1));
            await fits("form");
            await page.getByRole("button", { name: "Choose another" }).click();
          },
        ],
        [
          "the workspace fits, with waveform and spectrogram, blind test and keys",
          async () => {
            await sendFile(page, voiceFile(LONG, 1));
            await waitForStatus(workspace(page), "completed");
            await both(page);
            await page.getByRole("slider", { name: "Time line" }).waitFor();
            await fits("workspace");
            await page.keyboard.press("s");
            await page.getByRole("button", { name: "Blind test" }).click();
            await fits("blind-test");
            await page.getByRole("button", { name: "Stop the test" }).click();
            await page.keyboard.press("?");
            await page.getByRole("dialog", { name: "Keys" }).waitFor();
            await fits("keys");
            await page.keyboard.press("Escape");
          },
        ],
        [
          "the list fits",
          async () => {
            await goTo(page, "Recordings");
            await fits("list");
          },
        ],
        ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
      ],
      () => shot(page, `failure-${look}`),
    );
    await context.close();
  }

  const { context, page } = await openPage(browser, url, { reducedMotion: "reduce" });
  await tally.chapter("Looks: reduced motion", [
    [
      "nothing is animated",
      async () => {
        await page.getByRole("button", { name: "Record", exact: true }).click();
        await page.getByRole("timer").waitFor();
        const running = await page.evaluate(() => document.getAnimations().length);
        assert.equal(running, 0);
      },
    ],
  ]);
  await context.close();
}
