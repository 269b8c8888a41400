// The main path: record with the microphone, send, follow, listen, come back.

import assert from "node:assert/strict";
import { assertAccessible, openPage } from "../browser.mjs";
import { eventually, near } from "../tally.mjs";
import { EMAIL, JOB_MS, both, entry, goTo, playerOf, playsOn, send, unfold, waitForStatus, workspace } from "./steps.mjs";

const RECORDED_S = 3;

export async function microphoneChapter({ browser, url, tally, shot }) {
  const { context, page, complaints, requests, answer } = await openPage(browser, url);
  const recording = workspace(page);
  let recorded_s = 0;

  await tally.chapter(
    "From the microphone",
    [
      [
        "the page opens under a policy that allows no inline script or style",
        async () => {
          const policy = answer.headers()["content-security-policy"] ?? "";
          assert.match(policy, /script-src 'self'/);
          assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval/);
          assert.deepEqual(complaints, []);
          const session = await eventually("there is a session", async () => {
            return (await context.cookies()).find((cookie) => cookie.name.startsWith("retake_session_"));
          });
          assert.equal(session.httpOnly, true, "the session is a cookie that scripts cannot read");
          assert.equal(await page.evaluate(() => document.cookie), "");
          await page.evaluate(() => (window.neverReloaded = true));
          await shot(page, "start");
        },
      ],
      ["the start page has no accessibility violations", () => assertAccessible(page)],
      [
        "recording shows a running time and a level that moves",
        async () => {
          await page.getByRole("button", { name: "Record", exact: true }).click();
          await page.getByText("Recording", { exact: true }).waitFor();
          const widest = await page.evaluate(async () => {
            const bar = document.querySelector("[class*=meterCover]");
            let found = 0;
            for (let frame = 0; frame < 60; frame += 1) {
              await new Promise(requestAnimationFrame);
              found = Math.max(found, new DOMMatrix(getComputedStyle(bar).transform).a);
            }
            return found;
          });
          assert.ok(widest > 0.3, `the meter reached only ${widest}`);
          await assertAccessible(page);
          await shot(page, "recording");
        },
      ],
      [
        "pausing stops the time, going on continues it",
        async () => {
          const timer = page.getByRole("timer");
          await page.getByRole("button", { name: "Pause" }).click();
          await page.getByText("Paused", { exact: true }).waitFor();
          const paused = await timer.innerText();
          await page.getByRole("button", { name: "Go on" }).click();
          await eventually("the time goes on", async () => (await timer.innerText()) > paused);
        },
      ],
      [
        "stopping gives a recording that can be heard before it is sent",
        async () => {
          await eventually("three seconds are recorded", async () => {
            return Number((await page.getByRole("timer").innerText()).split(":")[1]) >= RECORDED_S;
          });
          await page.getByRole("button", { name: "Stop" }).click();
          recorded_s = await playsOn(playerOf(page, "take"), "the recording");
          near(recorded_s, RECORDED_S + 0.5, 1.5, "the recording's length in seconds");
          await playerOf(page, "take").evaluate((element) => element.pause());
        },
      ],
      [
        "a bad e-mail address is refused in words, and nothing is sent",
        async () => {
          await send(page, { email: "ann@" });
          const field = page.getByLabel("Your e-mail address");
          assert.equal(await field.getAttribute("aria-invalid"), "true");
          await page.getByText("“ann@” is not an e-mail address").waitFor();
          assert.equal(await field.evaluate((element) => element === document.activeElement), true);
          assert.ok(!requests.includes("POST /api/v1/recordings"));
          await assertAccessible(page);
          await shot(page, "bad-e-mail");
        },
      ],
      [
        "sent, it goes from queued to done without a reload",
        async () => {
          await watchStatuses(page);
          await page.getByLabel("Your e-mail address").fill(EMAIL);
          await page.getByText("is not an e-mail address").waitFor({ state: "detached" });
          await page.getByRole("button", { name: "Send", exact: true }).click();
          await recording.waitFor();
          await shot(page, "sent");
          await waitForStatus(recording, "completed");
          await eventually("the stream has told the end", () => heard(page, "job.completed"));
          const { shown, events } = await page.evaluate(() => window.watched);
          const order = ["queued", "running", "completed"];
          assert.deepEqual(shown, order.filter((status) => shown.includes(status)), "the page shows them in order");
          assert.ok(shown.length >= 2, `the page has shown only ${shown}`);
          const states = events.filter((name) => name !== "job.progress");
          assert.deepEqual(states, ["job.queued", "job.running", "job.completed"]);
          assert.equal(await page.evaluate(() => window.neverReloaded), true);
          assert.equal(requests.filter((request) => request === "POST /api/v1/recordings").length, 1);
        },
      ],
      [
        "the recording has an address of its own, and the focus is on its name",
        async () => {
          assert.match(new URL(page.url()).pathname, /^\/recordings\/[0-9a-f-]{36}$/);
          const focused = await page.evaluate(() => document.activeElement?.closest("main[data-recording] h1") !== null);
          assert.equal(focused, true);
        },
      ],
      [
        "both recordings play, as long as what was recorded",
        async () => {
          const player = await both(page);
          near(await playsOn(player, "both in one"), recorded_s, 0.15, "their length in seconds");
          await player.evaluate((element) => element.pause());
          // What was recorded in parts does not say how long it is.
          await playsOn(playerOf(recording, "original"), "the original recording");
          const corrected = await playsOn(playerOf(recording, "corrected"), "the corrected recording");
          near(corrected, recorded_s, 0.15, "the corrected recording's length in seconds");
          const pausedOriginal = await playerOf(recording, "original").evaluate((element) => element.paused);
          assert.equal(pausedOriginal, true, "starting one pauses the other");
          await playerOf(recording, "corrected").evaluate((element) => element.pause());
        },
      ],
      [
        "switching goes on at the same place in the other recording",
        async () => {
          const player = await both(page);
          await player.evaluate((element) => (element.currentTime = 1));
          await recording.getByRole("button", { name: "Play", exact: true }).click();
          await eventually("it plays", () => player.evaluate((e) => !e.paused && e.currentTime > 1));
          await page.keyboard.press("x");
          assert.equal(await recording.getByRole("radio", { name: "Original" }).isChecked(), true);
          const { time, paused } = await player.evaluate((e) => ({ time: e.currentTime, paused: e.paused }));
          assert.ok(!paused && time > 1, `${time} s, ${paused ? "paused" : "playing"}`);
          await recording.getByRole("button", { name: "Pause", exact: true }).click();
          await eventually("it is paused", () => player.evaluate((e) => e.paused));
        },
      ],
      [
        "the correction is another sound than the original, and both are sound",
        async () => {
          const [original, corrected] = await Promise.all([
            loudness(playerOf(recording, "original")),
            loudness(playerOf(recording, "corrected")),
          ]);
          assert.ok(original.rms > 0.001 && corrected.rms > 0.001, JSON.stringify({ original, corrected }));
          const changed_db = 20 * Math.log10(corrected.rms / original.rms);
          assert.ok(changed_db > 3, `the quiet voice was raised by only ${changed_db.toFixed(2)} dB`);
          near(corrected.seconds, original.seconds, 0.05, "the correction's decoded length in seconds");
        },
      ],
      [
        "numbers before and after are shown",
        async () => {
          await unfold(recording, "What was measured");
          const table = recording.getByRole("table");
          for (const [row, unit] of [["Loudness", "LUFS"], ["True peak", "dBTP"], ["Length", "s"]]) {
            const cells = await table.getByRole("row", { name: row }).getByRole("cell").allInnerTexts();
            assert.equal(cells.length, 2, row);
            for (const cell of cells) assert.match(cell, new RegExp(`^\u2212?\\d+(\\.\\d+)? ${unit}$`));
          }
          await assertAccessible(page);
          await shot(page, "done");
        },
      ],
      [
        "the correction can be downloaded as a file of its format",
        async () => {
          const download = page.waitForEvent("download");
          await recording.getByRole("link", { name: "Download OPUS" }).click();
          const file = await download;
          assert.match(file.suggestedFilename(), /^[^/]+\.opus$/);
          await file.delete();
        },
      ],
      [
        "after a reload it is all still there",
        async () => {
          await page.reload();
          await waitForStatus(recording, "completed", JOB_MS);
          near(await playsOn(await both(page), "both in one"), recorded_s, 0.15, "their length");
          await goTo(page, "Recordings");
          await entry(page, "recording ").first().waitFor();
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-microphone"),
  );
  await context.close();
}

/** Notes every status the page shows from now on, and, apart from the page's own stream, every event. */
async function watchStatuses(page) {
  await page.evaluate(async () => {
    window.watched = { shown: [], events: [] };
    const { shown, events } = window.watched;
    const look = () => {
      const status = document.querySelector("[data-status]")?.dataset.status;
      if (status !== undefined && status !== shown.at(-1)) shown.push(status);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    const source = new EventSource("/api/v1/events");
    for (const name of ["queued", "running", "progress", "completed", "failed", "cancelled"]) {
      source.addEventListener(`job.${name}`, () => events.push(`job.${name}`));
    }
    await new Promise((resolve, reject) => {
      source.onopen = resolve;
      source.onerror = () => reject(new Error("the event stream does not open"));
    });
  });
}

function heard(page, name) {
  return page.evaluate((wanted) => window.watched.events.includes(wanted), name);
}

async function loudness(audio) {
  return audio.evaluate(async (element) => {
    const bytes = await (await fetch(element.src)).arrayBuffer();
    const context = new OfflineAudioContext(1, 1, 48_000);
    const decoded = await context.decodeAudioData(bytes);
    const samples = decoded.getChannelData(0);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return { rms: Math.sqrt(power), seconds: decoded.duration };
  });
}
