// Chromium with a microphone that hears a file, and pages that remember what went wrong in them.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

function options(voiceFile) {
  return {
    executablePath: process.env.RETAKE_TEST_CHROMIUM ?? "/usr/bin/chromium",
    // Chromium's sandbox does not work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${voiceFile}`,
      "--autoplay-policy=no-user-gesture-required",
    ],
  };
}

export async function openBrowser(voiceFile) {
  return chromium.launch(options(voiceFile));
}

/** A browser that writes what it keeps into a folder, and can be killed as if the machine had lost its power. */
export async function openLastingBrowser(voiceFile, folder, url) {
  const context = await chromium.launchPersistentContext(folder, { ...options(voiceFile), ...person(url) });
  const kill = async () => {
    const ended = new Promise((resolve) => context.on("close", resolve));
    for (const pid of await processesOf(folder)) process.kill(pid, "SIGKILL");
    await ended;
    // What the killed one held would make the next one think that it still runs.
    for (const name of ["SingletonLock", "SingletonCookie", "SingletonSocket"]) await rm(join(folder, name), { force: true });
  };
  return { context, kill };
}

/** Those that were started with this folder. */
async function processesOf(folder) {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, at) => lines[at].includes(`--user-data-dir=${folder}`));
}

function person(url) {
  return { baseURL: url, viewport: { width: 1100, height: 900 }, locale: "en-GB" };
}

/** A person with their own cookies. `complaints` fills with everything the page should not do. */
export async function openPage(browser, url, { path = "/", heading = "Your recordings", init, context: own, ...options } = {}) {
  const context = own ?? (await browser.newContext({ ...person(url), ...options }));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  const requests = [];
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("console", (message) => {
    // The browser itself writes a line for each answer of 400 and above; those are looked at by name.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    // A recording that is heard before it is sent is asked of nobody.
    if (request.url().startsWith("blob:")) return;
    const { pathname, origin } = new URL(request.url());
    requests.push(`${request.method()} ${pathname}`);
    if (request.url().startsWith("http") && origin !== new URL(url).origin) {
      complaints.push(`asked another site: ${request.url()}`);
    }
  });
  if (init !== undefined) await page.addInitScript(init);
  const answer = await page.goto(path);
  await page.getByRole("heading", { name: heading, exact: true }).waitFor();
  return { context, page, complaints, requests, answer };
}

/** Everything axe finds wrong with the page as it is now. */
export async function assertAccessible(page) {
  // In an isolated world's stead: evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
  });
  if (violations.length > 0) throw new Error(`axe finds ${violations.length}:\n${violations.join("\n")}`);
}

/** No part of the page is wider than the window. */
export async function assertNoSidewaysScroll(page) {
  const { content, window: width } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  if (content > width) throw new Error(`the page is ${content} px wide in a window of ${width} px`);
}
