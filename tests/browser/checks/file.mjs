// The second path: a recording that exists already.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { assertAccessible, openPage } from "../browser.mjs";
import { eventually, near } from "../tally.mjs";
import { both, chooseFile, entry, goTo, open, opened, playerOf, playsOn, send, sendFile, voiceFile, waitForStatus, workspace } from "./steps.mjs";

export async function fileChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);

  await tally.chapter(
    "From a file",
    [
      [
        "a chosen file can be heard, and changed for another, before it is sent",
        async () => {
          await chooseFile(page, voiceFile("wrong.wav"));
          near(await playsOn(playerOf(page, "take"), "the file"), 2, 0.05, "the file's length in seconds");
          await page.getByRole("button", { name: "Choose another" }).click();
          await page.getByRole("button", { name: "Record", exact: true }).waitFor();
        },
      ],
      [
        "a chosen file is corrected with the preset and into the format asked for",
        async () => {
          await chooseFile(page, voiceFile("chosen.wav"));
          await page.getByLabel("Give it back as").selectOption("wav");
          await send(page, { preset: /^Music/ });
          const chosen = await opened(page, "chosen.wav");
          await waitForStatus(chosen, "completed");
          near(await playsOn(await both(page), "both in one"), 2, 0.05, "its length in seconds");
          await chosen.getByRole("link", { name: "Download WAV" }).waitFor();
        },
      ],
      [
        "the correction comes in another format without being corrected again",
        async () => {
          const chosen = workspace(page);
          await chosen.getByLabel("Download as").selectOption("mp3");
          const [download] = await Promise.all([
            page.waitForEvent("download"),
            chosen.getByRole("button", { name: "Download MP3" }).click(),
          ]);
          assert.equal(download.suggestedFilename(), "chosen-music.mp3");
          const bytes = await readFile(await download.path());
          // Layer III; a recording without tags has no ID3 before it.
          assert.equal(bytes.readUInt16BE(0) & 0xfffe, 0xfffa);
          // Two seconds at no less than 64 kbit/s.
          assert.ok(bytes.length > 16_000, `${bytes.length} bytes`);
          await chosen.getByLabel("Download as").selectOption("wav");
          await chosen.getByRole("link", { name: "Download WAV" }).waitFor();
        },
      ],
      [
        "original and correction come out of one player, and switching loses no place",
        async () => {
          const chosen = workspace(page);
          const player = await both(page);
          near(await playsOn(player, "both in one"), 2, 0.05, "their length in seconds");
          const heard = await player.evaluate(async (audio) => {
            const place = audio.currentTime;
            const radio = (value) => document.querySelector(`main input[type=radio][value=${value}]`);
            for (const value of ["original", "removed", "corrected"]) radio(value).click();
            const context = new OfflineAudioContext(1, 1, 48_000);
            const stream = await context.decodeAudioData(await (await fetch(audio.src)).arrayBuffer());
            const level = (channel) =>
              Math.sqrt(channel.reduce((sum, sample) => sum + sample * sample, 0) / channel.length);
            const levels = Array.from({ length: stream.numberOfChannels }, (_, n) => level(stream.getChannelData(n)));
            return { moved: audio.currentTime - place, levels, paused: audio.paused };
          });
          assert.ok(heard.moved >= 0 && !heard.paused, "it plays on");
          assert.equal(heard.levels.length, 2, "one channel for each");
          const [before, after] = heard.levels;
          assert.ok(before > 0.001 && after > 0.001 && Math.abs(before - after) > 0.001, `levels ${before}, ${after}`);
          assert.ok(await chosen.getByRole("radio", { name: "Corrected" }).isChecked());
        },
      ],
      [
        "a file dropped on the page is taken, and the page stays",
        async () => {
          await goTo(page, "New");
          const bytes = voiceFile("dropped.wav", 1).buffer.toString("base64");
          await page.evaluate((base64) => {
            const transfer = new DataTransfer();
            const content = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([content], "dropped.wav", { type: "audio/wav" }));
            for (const type of ["dragover", "drop"]) {
              const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer });
              document.body.dispatchEvent(event);
              if (!event.defaultPrevented) throw new Error(`the browser would have opened the file on ${type}`);
            }
          }, bytes);
          await page.getByRole("heading", { name: "dropped.wav" }).waitFor();
          await send(page);
          await waitForStatus(await opened(page, "dropped.wav"), "completed");
        },
      ],
      [
        "several files are sent at once, each becomes one recording, and one of them can be left out before",
        async () => {
          await goTo(page, "New");
          const files = ["one.wav", "two.wav", "three.wav", "four.wav"].map((name) => voiceFile(name, 1));
          await page.getByLabel("Choose files").setInputFiles(files.slice(0, 3));
          await page.getByRole("heading", { name: "Ready to send" }).waitFor();
          await page.getByLabel("Add files").setInputFiles(files.slice(3));
          await page.getByRole("button", { name: "Do not send: two.wav" }).click();
          assert.equal(await page.getByRole("list", { name: "To be sent" }).getByRole("heading").count(), 3);
          await assertAccessible(page);
          await shot(page, "several");
          await page.getByRole("button", { name: "Send all 3" }).click();
          for (const name of ["one.wav", "three.wav", "four.wav"]) {
            await entry(page, name).waitFor();
            await waitForStatus(entry(page, name), "completed");
            assert.equal(await entry(page, name).count(), 1);
          }
          assert.equal(await entry(page, "two.wav").count(), 0);
          await page.getByRole("heading", { name: "New recording" }).waitFor();
        },
      ],
      [
        "an answer that is lost makes no second recording",
        async () => {
          let lost = 0;
          await page.route("**/api/v1/recordings", async (route) => {
            if (route.request().method() !== "POST" || lost > 0) return route.continue();
            lost += 1;
            await route.fetch();
            await route.abort("connectionreset");
          });
          await sendFile(page, voiceFile("once.wav", 1));
          await waitForStatus(workspace(page), "completed");
          await page.unroute("**/api/v1/recordings");
          assert.equal(lost, 1);
          await goTo(page, "Recordings");
          await entry(page, "once.wav").waitFor();
          assert.equal(await entry(page, "once.wav").count(), 1);
        },
      ],
      [
        "whoever has nothing at hand tries it with our sample",
        async () => {
          await goTo(page, "New");
          await page.getByRole("button", { name: "Try it with our sample" }).click();
          await page.getByRole("heading", { name: "noisy room.ogg" }).waitFor();
          await send(page, { preset: /^Find out what it needs/ });
          await waitForStatus(await opened(page, "noisy room.ogg"), "completed");
          const headline = workspace(page).getByRole("heading", { level: 2 }).first();
          assert.match(await headline.innerText(), /^The noise is \d+ dB quieter/);
        },
      ],
      [
        "where the browser cannot play both in one, that is said and the two players stay",
        async () => {
          const address = /\/jobs\/[^/]+\/compare$/;
          await page.route(address, (route) =>
            route.fulfill({ contentType: "audio/webm", body: "no stream that any browser plays" }),
          );
          const dropped = await open(page, "dropped.wav");
          await page.reload();
          await dropped.getByText("cannot play both out of one stream").waitFor();
          near(await playsOn(playerOf(dropped, "corrected"), "the correction"), 1, 0.5, "its length in seconds");
          await playerOf(dropped, "corrected").evaluate((element) => element.pause());
          assert.equal(await dropped.getByRole("radio", { name: "Removed" }).isDisabled(), true);
          await dropped.getByRole("radio", { name: "Original" }).check();
          await dropped.getByRole("button", { name: "Play", exact: true }).click();
          await eventually("the original plays", () => playerOf(dropped, "original").evaluate((e) => !e.paused && e.currentTime > 0));
          assert.equal(await playerOf(dropped, "corrected").evaluate((element) => element.paused), true);
          await page.unroute(address);
        },
      ],
      [
        "an empty file and a picture are refused at once",
        async () => {
          await goTo(page, "New");
          const input = page.getByLabel("Choose files");
          await input.setInputFiles({ name: "empty.wav", mimeType: "audio/wav", buffer: Buffer.alloc(0) });
          await page.getByRole("alert").filter({ hasText: "“empty.wav” is empty" }).waitFor();
          await input.setInputFiles({ name: "cat.png", mimeType: "image/png", buffer: Buffer.from("png") });
          await page.getByRole("alert").filter({ hasText: "“cat.png” is not a sound recording" }).waitFor();
        },
      ],
      [
        "the e-mail address is remembered",
        async () => {
          await page.goto("/");
          await chooseFile(page, voiceFile("again.wav", 1));
          assert.equal(await page.getByLabel("Your e-mail address").inputValue(), "ann@example.org");
          await sendFileAgain(page);
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-file"),
  );
  await context.close();
}

async function sendFileAgain(page) {
  await page.getByRole("button", { name: "Choose another" }).click();
  await sendFile(page, voiceFile("again.wav", 1));
  await waitForStatus(workspace(page), "completed");
}
