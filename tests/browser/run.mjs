// The page in a real browser against a running Retake (server and worker):
//
//     RETAKE_TEST_URL=http://127.0.0.1:8080 node run.mjs
//
// RETAKE_TEST_CHROMIUM names another Chromium, RETAKE_TEST_SHOTS a folder for screenshots. The server
// may be in use already: every check has its own session and looks only at what it made.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser } from "./browser.mjs";
import { fileChapter } from "./checks/file.mjs";
import { listChapter } from "./checks/list.mjs";
import { looksChapter } from "./checks/looks.mjs";
import { microphoneChapter } from "./checks/microphone.mjs";
import { troubleChapter } from "./checks/trouble.mjs";
import { shots } from "./shots.mjs";
import { Tally } from "./tally.mjs";
import { voiceWav } from "./voice.mjs";

const url = process.env.RETAKE_TEST_URL;
if (url === undefined) {
  console.error("RETAKE_TEST_URL must name a running Retake server, http://127.0.0.1:8080 say");
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), "retake-browser-"));
const voiceFile = join(folder, "voice.wav");
await writeFile(voiceFile, voiceWav(8));

const tally = new Tally();
const browser = await openBrowser(voiceFile);
try {
  const stage = { browser, url, tally, shot: shots(process.env.RETAKE_TEST_SHOTS) };
  for (const chapter of [microphoneChapter, fileChapter, listChapter, troubleChapter, looksChapter]) {
    await chapter(stage).catch((error) => tally.broke(`${chapter.name} could not go on`, error));
  }
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}

console.log(`\n${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
