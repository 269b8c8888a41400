// Building a chain by hand: with the keyboard alone, from a preset, from text, with what is wrong said
// at the field, and the report that comes of it.

import assert from "node:assert/strict";
import { assertAccessible, assertNoSidewaysScroll, openPage } from "../browser.mjs";
import { eventually, near } from "../tally.mjs";
import { both, chooseFile, corrections, opened, playerOf, playsOn, rewriteReports, send, unfold, voiceFile, waitForStatus, workspace } from "./steps.mjs";

const OWN = /^Build your own chain/;

export async function chainChapter({ browser, url, tally, shot }) {
  const { context, page, complaints } = await openPage(browser, url);
  const editor = page.getByRole("group", { name: "Your own chain" });
  const steps = editor.locator("[data-step]");
  const order = () => steps.evaluateAll((found) => found.map((step) => step.dataset.step));

  await tally.chapter(
    "A chain of one's own",
    [
      [
        "a chain is built with the keyboard alone",
        async () => {
          await chooseFile(page, voiceFile("own.wav"));
          await page.getByRole("radio", { name: OWN }).focus();
          await page.keyboard.press("Space");
          for (const words of ["loudness", "high"]) {
            await editor.getByRole("button", { name: "Add a step" }).focus();
            await page.keyboard.press("Enter");
            // The focus is in the field for words already.
            await page.keyboard.type(words);
            await page.keyboard.press("Tab");
            await page.keyboard.press("Enter");
          }
          assert.deepEqual(await order(), ["loudness", "highpass"]);
        },
      ],
      [
        "moving a step is said aloud, and the focus goes along",
        async () => {
          await editor.getByRole("button", { name: "Move High-pass up" }).focus();
          await page.keyboard.press("Enter");
          assert.deepEqual(await order(), ["highpass", "loudness"]);
          await page.getByRole("status").filter({ hasText: "High-pass is step 1 of 2 now." }).waitFor();
          assert.equal(await focusedLabel(page), "Move High-pass up");
        },
      ],
      [
        "Escape closes the list of plugins and gives the focus back",
        async () => {
          await editor.getByRole("button", { name: "Add a step" }).click();
          await editor.getByRole("searchbox").fill("no plugin has such a name");
          await editor.getByText("No plugin has these words").waitFor();
          await page.keyboard.press("Escape");
          assert.match(await page.evaluate(() => document.activeElement?.textContent), /Add a step/);
        },
      ],
      [
        "an arrow key moves a logarithmic slider, and slider and field say the same",
        async () => {
          const slider = editor.getByRole("slider", { name: "Cut-off, slider" });
          const field = editor.getByLabel("Cut-off", { exact: true });
          const before = Number(await field.inputValue());
          await slider.focus();
          await page.keyboard.press("ArrowRight");
          const after = Number(await field.inputValue());
          assert.ok(after > before, `${before} became ${after}`);
          assert.equal(await slider.getAttribute("aria-valuetext"), `${after} Hz`);
          await page.keyboard.press("End");
          const top = await field.inputValue();
          await editor.getByRole("button", { name: /^Reset Cut-off/ }).click();
          assert.equal(Number(await field.inputValue()), before);
          assert.notEqual(top, String(before));
        },
      ],
      ["the editor has no accessibility violations and fits", () => fits(page, shot, "chain")],
      [
        "a value out of range is explained before anything is sent, at the field that has the focus then",
        async () => {
          const field = editor.getByLabel("Cut-off", { exact: true });
          const top = await editor.getByRole("slider", { name: "Cut-off, slider" }).evaluate((slider) => slider.max);
          assert.ok(Number(top) > 1);
          await field.fill("1");
          let asked = 0;
          page.on("request", (request) => {
            if (request.method() === "POST" && request.url().endsWith("/api/v1/recordings")) asked += 1;
          });
          await send(page);
          await editor.getByText(/^1 Hz is outside: it goes from/).waitFor();
          assert.equal(await field.getAttribute("aria-invalid"), "true");
          assert.equal(await field.evaluate((element) => element === document.activeElement), true);
          assert.equal(asked, 0);
          await fits(page, shot, "chain-out-of-range");
          await field.fill("120");
          assert.equal(await field.getAttribute("aria-invalid"), "false");
        },
      ],
      [
        "what the server says against a chain stands at the field",
        async () => {
          // The page would not send this: somebody pastes what was written for another version.
          await useText(editor, { steps: [{ plugin: "highpass", params: { "cutoff-hz": 120, wobble: 1 } }] });
          await send(page);
          await editor.getByText(/wobble/).first().waitFor();
          await page.getByRole("alert").filter({ hasText: "wobble" }).waitFor();
          const step = steps.first();
          await step.getByText(/has no parameter “wobble”/).waitFor();
          await step.getByRole("button", { name: /^Leave it out/ }).click();
          await step.getByText(/wobble/).waitFor({ state: "detached" });
        },
      ],
      [
        "what is pasted and is no chain is refused in words",
        async () => {
          await text(editor).fill('{"steps": 3}');
          await editor.getByRole("button", { name: "Use this text" }).click();
          await editor.getByText(/^This is no chain: chain\.steps is 3/).waitFor();
          await useText(editor, { chain: { steps: [{ plugin: "highpass", mix: 0.5 }, { plugin: "loudness" }] } });
          assert.deepEqual(await order(), ["highpass", "loudness"]);
        },
      ],
      [
        "a chain is remembered under a name, and offered again after a reload",
        async () => {
          await editor.getByLabel("Remember it as").fill("My radio play");
          await editor.getByRole("button", { name: "Remember", exact: true }).click();
          await page.getByRole("radio", { name: /^My radio play/ }).waitFor();
          await page.reload();
          await chooseFile(page, voiceFile("own.wav"));
          assert.equal(await page.getByRole("radio", { name: /^My radio play/ }).isChecked(), true);
          assert.deepEqual(await order(), ["highpass", "loudness"]);
        },
      ],
      [
        "its job runs the chain that was built, and the report says what each step did",
        async () => {
          await send(page);
          const own = await opened(page, "own.wav");
          await waitForStatus(own, "completed");
          await unfold(own, "What each step did");
          const reports = own.getByRole("list", { name: "Steps" }).getByRole("listitem").filter({ has: page.locator("strong") });
          const ran = await own.locator("li[data-step][data-skipped]").evaluateAll((found) => found.map((s) => s.dataset.step));
          assert.deepEqual(ran, ["highpass", "loudness"]);
          await reports.first().getByText("For plugin authors").click();
          await reports.first().getByText(/SHA-256 [0-9a-f]{64}/).waitFor();
          await fits(page, shot, "chain-report");
        },
      ],
      [
        "a preset's steps are changed and run on the same recording",
        async () => {
          const own = workspace(page);
          await unfold(own, "Adjust and correct again");
          await own.getByLabel("Correct it for").selectOption({ label: "Speech" });
          await own.getByRole("button", { name: "Change the steps of “Speech”" }).click();
          assert.deepEqual(await order(), ["segment", "highpass", "denoise", "loudness"]);
          await editor.getByRole("button", { name: "Remove Denoise" }).click();
          assert.deepEqual(await order(), ["segment", "highpass", "loudness"]);
          await own.getByRole("button", { name: "Correct again" }).click();
          await corrections(page, 2);
          await playsOn(await both(page), "the second correction");
        },
      ],
      [
        "where a step took out pauses, switching stays at the same word",
        async () => {
          // Half a second is said to be gone at 0.5 s: the report alone moves the page's clock.
          await rewriteReports(page, (report) => {
            const frame = (seconds) => Math.round(seconds * report.input.sample_rate);
            report.steps[0].cuts = [{ start: frame(0.5), frames: frame(0.5) }];
            return report;
          });
          // Out of one stream both have one time: the two files are what is tried here.
          const compare = /\/jobs\/[^/]+\/compare$/;
          await page.route(compare, (route) => route.fulfill({ contentType: "audio/webm", body: "no stream" }));
          await page.reload();
          const own = await opened(page, "own.wav");
          await own.getByText("One place on the time line").waitFor();
          await unfold(own, "What each step did");
          await own.getByText("Took out 0.5 s in one place").first().waitFor();
          await own.getByText("cannot play both out of one stream").waitFor();
          const [original, corrected] = [playerOf(own, "original"), playerOf(own, "corrected")];
          const switched = async (from, seconds, to, version) => {
            await from.evaluate((element, at) => {
              element.currentTime = at;
            }, seconds);
            await to.evaluate((element) => {
              element.addEventListener("play", () => (element.dataset.began = String(element.currentTime)), { once: true });
            });
            await own.getByRole("radio", { name: version }).check();
            return Number(await eventually("the other plays", () => to.evaluate((element) => element.dataset.began)));
          };
          await own.getByRole("radio", { name: "Original" }).check();
          await own.getByRole("button", { name: "Play", exact: true }).click();
          await eventually("the original plays", () => original.evaluate((element) => !element.paused));
          near(await switched(original, 1.5, corrected, "Corrected"), 1, 0.1, "1.5 s of the original");
          near(await switched(corrected, 0.75, original, "Original"), 1.25, 0.1, "0.75 s corrected");
          await page.unroute("**/report");
          await page.unroute(compare);
        },
      ],
      [
        "what a step removed can be heard, where that was asked for",
        async () => {
          const own = workspace(page);
          await unfold(own, "Adjust and correct again");
          await own.getByLabel("Correct it for").selectOption({ label: "Your own chain" });
          await useText(editor, { steps: [{ plugin: "denoise" }] });
          await steps.first().getByRole("button", { name: /^Step 1: Denoise/ }).click();
          await editor.getByLabel("Keep what it removes, to listen to").check();
          await own.getByRole("button", { name: "Correct again" }).click();
          await corrections(page, 3);
          await unfold(own, "What each step did");
          near(await playsOn(playerOf(own, "delta"), "what was removed"), 2, 0.05, "its length in seconds");
          await fits(page, shot, "delta");
        },
      ],
      ["nothing went wrong in the page meanwhile", async () => assert.deepEqual(complaints, [])],
    ],
    () => shot(page, "failure-chain"),
  );
  await context.close();
}

function text(editor) {
  return editor.getByLabel(/^This chain as the API takes it/);
}

async function useText(editor, chain) {
  if (!(await text(editor).isVisible())) await editor.getByText("As JSON, for programs").click();
  await text(editor).fill(JSON.stringify(chain));
  await editor.getByRole("button", { name: "Use this text" }).click();
}

async function focusedLabel(page) {
  return page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
}

async function fits(page, shot, name) {
  await assertNoSidewaysScroll(page);
  await assertAccessible(page);
  await shot(page, name);
}
