// The page in a real browser against a running Retake (server and worker):
//
//     RETAKE_TEST_URL=http://127.0.0.1:8080 node run.mjs
//
// Where that address has a path, http://127.0.0.1:8080/retake say, only what is different there is tried.
//
// RETAKE_TEST_ADMIN_KEY is the server's admin key; without it, publishing is not tried, and this is
// said. RETAKE_TEST_CHROMIUM names another Chromium, RETAKE_TEST_SHOTS a folder for screenshots,
// RETAKE_TEST_CHAPTER one chapter to run alone ("chain", say). The server may be in use already: every
// check has its own session and looks only at what it made.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBrowser, openLastingBrowser } from "./browser.mjs";
import { budgetsChapter } from "./checks/budgets.mjs";
import { chainChapter } from "./checks/chain.mjs";
import { fileChapter } from "./checks/file.mjs";
import { findingsChapter } from "./checks/findings.mjs";
import { keptChapter } from "./checks/kept.mjs";
import { listChapter } from "./checks/list.mjs";
import { looksChapter } from "./checks/looks.mjs";
import { microphoneChapter } from "./checks/microphone.mjs";
import { pathChapter } from "./checks/path.mjs";
import { publishChapter } from "./checks/publish.mjs";
import { referenceChapter } from "./checks/reference.mjs";
import { settingsChapter } from "./checks/settings.mjs";
import { shareChapter } from "./checks/share.mjs";
import { troubleChapter } from "./checks/trouble.mjs";
import { shots } from "./shots.mjs";
import { Tally } from "./tally.mjs";
import { voiceWav } from "./voice.mjs";

const url = process.env.RETAKE_TEST_URL;
if (url === undefined) {
  console.error("RETAKE_TEST_URL must name a running Retake server, http://127.0.0.1:8080 say");
  process.exit(2);
}

const adminKey = process.env.RETAKE_TEST_ADMIN_KEY?.trim();
const plugins = fileURLToPath(new URL("../../dist/test-plugins", import.meta.url));

const folder = await mkdtemp(join(tmpdir(), "retake-browser-"));
const voiceFile = join(folder, "voice.wav");
await writeFile(voiceFile, voiceWav(8));

const tally = new Tally();
const browser = await openBrowser(voiceFile);
try {
  const launch = (kept) => openLastingBrowser(voiceFile, kept, url);
  const stage = { browser, launch, url, tally, shot: shots(process.env.RETAKE_TEST_SHOTS), adminKey, plugins };
  const below = new URL(url).pathname !== "/";
  const atTheRoot = [microphoneChapter, keptChapter, fileChapter, listChapter, chainChapter, findingsChapter, troubleChapter, looksChapter, settingsChapter, shareChapter, budgetsChapter, referenceChapter];
  const chapters = below ? [pathChapter, referenceChapter] : atTheRoot;
  if (below) console.log("The address has a path");
  else if (adminKey === undefined) console.log("Publishing is not tried: RETAKE_TEST_ADMIN_KEY is not set");
  else chapters.push(publishChapter);
  const wanted = process.env.RETAKE_TEST_CHAPTER;
  const chosen = chapters.filter(({ name }) => wanted === undefined || name === `${wanted}Chapter`);
  if (chosen.length === 0) tally.broke(`there is no chapter ${wanted}`, chapters.map(({ name }) => name).join(", "));
  for (const chapter of chosen) {
    await chapter(stage).catch((error) => tally.broke(`${chapter.name} could not go on`, error));
  }
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}

console.log(`\n${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
