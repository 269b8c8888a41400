// What the page may cost: bytes before it is usable, and what a switch between the versions may do to the sound.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { openPage } from "../browser.mjs";
import { eventually } from "../tally.mjs";
import { toneWav } from "../voice.mjs";
import { both, chooseFile, opened, send, waitForStatus, workspace } from "./steps.mjs";

const FIRST_LOAD_BYTES_MAX = 180_000;
const WORKSPACE_BYTES_MAX = 60_000;
const SWITCHES = 50;
/** Less than this for one sample after the other is silence. */
const SILENCE = 1e-4;
const SHIFT_MS_MAX = 10;

/** Whatever goes to the loudspeaker goes to a list of samples as well. */
const TAP = () => {
  const { connect } = AudioNode.prototype;
  window.tapped = { samples: [], context: null };
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode && !(this instanceof ScriptProcessorNode)) {
      const { tapped } = window;
      if (tapped.context !== to.context) {
        tapped.context = to.context;
        tapped.node = to.context.createScriptProcessor(4096, 1, 1);
        tapped.node.onaudioprocess = ({ inputBuffer }) => tapped.samples.push(inputBuffer.getChannelData(0).slice());
        connect.call(tapped.node, to);
      }
      connect.call(this, tapped.node);
    }
    return connect.call(this, to, ...rest);
  };
};

export async function budgetsChapter({ browser, url, tally }) {
  const { context, page } = await openPage(browser, url, { init: TAP });
  /** Address and packed size of each script and style sheet that came. */
  const came = new Map();
  page.on("response", async (response) => {
    if (!/\.(js|css)$/.test(new URL(response.url()).pathname)) return;
    const body = await response.body().catch(() => null);
    if (body !== null) came.set(response.url(), gzipSync(body, { level: 9 }).length);
  });
  const bytes = () => [...came.values()].reduce((sum, size) => sum + size, 0);

  await tally.chapter("Budgets", [
    [
      `the page can be used after less than ${FIRST_LOAD_BYTES_MAX} bytes of script and style, packed`,
      async () => {
        await page.reload();
        await page.getByRole("button", { name: "Record", exact: true }).waitFor();
        await page.waitForTimeout(500);
        const first = bytes();
        console.log(`       ${first} bytes`);
        assert.ok(first > 50_000 && first <= FIRST_LOAD_BYTES_MAX, `${first} bytes`);
      },
    ],
    [
      `the workspace costs less than ${WORKSPACE_BYTES_MAX} more`,
      async () => {
        await chooseFile(page, { name: "tone.wav", mimeType: "audio/wav", buffer: toneWav(20) });
        await page.getByLabel("Your e-mail address").waitFor();
        const before = bytes();
        await send(page, { preset: /^Loudness only/ });
        await waitForStatus(await opened(page, "tone.wav"), "completed");
        await both(page);
        const more = bytes() - before;
        console.log(`       ${more} bytes`);
        assert.ok(more > 1_000 && more <= WORKSPACE_BYTES_MAX, `${more} bytes`);
      },
    ],
    [
      `${SWITCHES} switches are heard as no silence, and lose no place`,
      async () => {
        const player = await both(page);
        await workspace(page).getByRole("button", { name: "Play", exact: true }).click();
        await eventually("it plays", () => player.evaluate((element) => element.currentTime > 0.5));
        const heard = await page.evaluate(
          async ({ switches, silence }) => {
            const { tapped } = window;
            const audio = document.querySelector("audio[data-player=compare]");
            const radio = (value) => document.querySelector(`main input[type=radio][value=${value}]`);
            const apart = () => audio.currentTime - tapped.context.currentTime;
            tapped.samples.length = 0;
            const before = apart();
            for (let n = 0; n < switches; n += 1) {
              radio(n % 2 === 0 ? "original" : "corrected").click();
              await new Promise((resolve) => setTimeout(resolve, 60 + 7 * (n % 11)));
            }
            const shift_ms = 1000 * (apart() - before);
            let longest = 0;
            let run = 0;
            let samples = 0;
            for (const block of tapped.samples) {
              for (const sample of block) {
                samples += 1;
                run = Math.abs(sample) < silence ? run + 1 : 0;
                longest = Math.max(longest, run);
              }
            }
            return { shift_ms, samples, silent_ms: (1000 * longest) / tapped.context.sampleRate, playing: !audio.paused };
          },
          { switches: SWITCHES, silence: SILENCE },
        );
        console.log(`       ${heard.silent_ms.toFixed(2)} ms of silence, ${heard.shift_ms.toFixed(1)} ms of shift, ${heard.samples} samples`);
        assert.ok(heard.playing && heard.samples > 100_000, JSON.stringify(heard));
        // A tone goes through zero: a sample or two near it are no silence.
        assert.ok(heard.silent_ms < 0.2, `${heard.silent_ms} ms of silence`);
        assert.ok(Math.abs(heard.shift_ms) <= SHIFT_MS_MAX, `${heard.shift_ms} ms of shift`);
      },
    ],
  ]);
  await context.close();
}
