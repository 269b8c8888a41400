// What was found, what was to be reached, and which of several tracks to correct.

import assert from "node:assert/strict";
import { assertAccessible, assertNoSidewaysScroll, openPage } from "../browser.mjs";
import { corrections, rewriteReports, sendFile, unfold, voiceFile, waitForStatus, workspace } from "./steps.mjs";

const TRACK = { codec: "AAC", channels: 2, sample_rate: 48_000, name: null, default: false, used: false };

/** Found in a film that nobody sends here: two tracks, of which the first is silent. */
const FOUND = {
  findings: [
    { code: "late-start", severity: "info", params: { late_ms: 120 }, message: "the audio starts late" },
    { code: "track-silent", severity: "warning", params: { track: 1, other: 2 }, message: "track 1 is silent" },
    { code: "of-tomorrow", severity: "warning", params: {}, message: "nobody knows this code yet" },
  ],
  tracks: [
    { ...TRACK, track: 1, language: "eng", default: true, used: true },
    { ...TRACK, track: 2, language: "deu" },
  ],
  targets: [
    {
      what: "loudness",
      unit: "LUFS",
      target: -16,
      reached: -18.25,
      met: false,
      why_not: "max-gain: more gain is not allowed",
    },
    { what: "true_peak", unit: "dBTP", target: -1, reached: -1.5, met: true, why_not: null },
  ],
};

/** From a whisper to full scale and back, with a pause. */
const CURVE = {
  interval_ms: 100,
  lowest_lufs: -60,
  step_lu: 0.25,
  values: Buffer.from(Array.from({ length: 20 }, (_, at) => (at === 8 ? 0 : 80 + 8 * Math.min(at, 20 - at)))).toString("base64"),
};

export async function findingsChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);
  const film = workspace(page);
  const wishes = [];

  await tally.chapter(
    "What was found",
    [
      [
        "warnings are in sight with what to do, the rest is folded away",
        async () => {
          await sendFile(page, voiceFile("film.wav"));
          await waitForStatus(film, "completed");
          await rewriteReports(page, (report) => {
            const input = { ...report.input, loudness_curve: CURVE, hum_hz: 50, hum_dbfs: -48.5 };
            const output = { ...report.output, loudness_curve: CURVE };
            return { ...report, ...FOUND, input, output };
          });
          await page.reload();
          const warnings = film.getByRole("list", { name: "Warnings" });
          await warnings.getByText("Track 1 is silent; track 2 is not.").waitFor();
          await warnings.getByText("Nobody knows this code yet.").waitFor();
          const late = film.getByText("The audio starts 120 ms after the beginning");
          assert.equal(await late.isVisible(), false);
          await film.getByText(/^Good to know/).click();
          await late.waitFor();
        },
      ],
      [
        "targets say whether they were met, and why not",
        async () => {
          const targets = film.getByRole("list", { name: "Targets" });
          await film.getByText("More gain is not allowed.").waitFor();
          assert.equal(await targets.locator('[data-met="true"]').count(), 1);
          assert.equal(await targets.locator('[data-met="false"]').count(), 1);
          await unfold(film, "What was measured");
          await film.getByRole("row", { name: /^Hum at 50 Hz/ }).waitFor();
          await film.getByRole("img", { name: /^Loudness over 0:02/ }).waitFor();
        },
      ],
      [
        "all of it is accessible and fits on a phone",
        async () => {
          await assertAccessible(page);
          await page.setViewportSize({ width: 390, height: 844 });
          await assertNoSidewaysScroll(page);
          await shot(page, "findings");
          await page.setViewportSize({ width: 1100, height: 900 });
        },
      ],
      [
        "another track is one button away where the corrected one is silent",
        async () => {
          // What was sent has one track only: the server is not asked for the second.
          await page.route("**/recordings/*/jobs", async (route) => {
            const { track, ...wish } = route.request().postDataJSON();
            wishes.push(track);
            await route.continue({ postData: JSON.stringify(wish) });
          });
          await film.getByRole("button", { name: "Correct track 2 instead" }).first().click();
          await corrections(page, 2);
          assert.deepEqual(wishes, [2]);
        },
      ],
      [
        "a track is chosen for a correction, or left to the server",
        async () => {
          await unfold(film, "Adjust and correct again");
          await film.getByLabel("Correct it for").selectOption({ label: "Loudness only" });
          const choice = film.getByLabel("Track", { exact: true });
          await choice.selectOption({ label: "Track 1: English, AAC, stereo" });
          await film.getByRole("button", { name: "Correct again" }).click();
          await corrections(page, 3);
          await unfold(film, "Adjust and correct again");
          await film.getByLabel("Correct it for").selectOption({ label: "Speech" });
          await choice.selectOption({ label: "Whichever fits" });
          await film.getByRole("button", { name: "Correct again" }).click();
          await corrections(page, 4);
          assert.deepEqual(wishes, [2, 1, undefined]);
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-findings"),
  );
  await context.close();
}
