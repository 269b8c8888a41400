// What a person does on the page, for all chapters.

import { eventually } from "../tally.mjs";
import { voiceWav } from "../voice.mjs";

export const EMAIL = "ann@example.org";

/** Long enough for a loaded machine; a job on a few seconds of audio takes far less. */
export const JOB_MS = 90_000;

export function voiceFile(name, seconds = 2) {
  return { name, mimeType: "audio/wav", buffer: voiceWav(seconds) };
}

export async function chooseFile(page, file) {
  // Handing a long file to a browser on a loaded machine takes longer than anything the page does.
  await page.getByLabel(/^(Choose|Add) files$/).setInputFiles(file, { timeout: JOB_MS });
  await page.getByRole("heading", { name: "Ready to send" }).waitFor();
}

export async function send(page, { email = EMAIL, preset } = {}) {
  await page.getByLabel("Your e-mail address").fill(email);
  if (preset !== undefined) await page.getByRole("radio", { name: preset }).check();
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

/** The list's entry of a recording, by its file name. */
export function entry(page, name) {
  return page.locator("li[data-recording]:visible").filter({ has: page.getByRole("link", { name, exact: false }) });
}

/** The workspace of the recording that is open. */
export function workspace(page) {
  return page.locator("main[data-recording]");
}

/** One is sent, and its workspace opens. */
export async function sendFile(page, file, options) {
  await chooseFile(page, file);
  await send(page, options);
  await opened(page, file.name);
}

export async function opened(page, name) {
  await workspace(page).getByRole("heading", { name, level: 1 }).waitFor();
  return workspace(page);
}

export async function goTo(page, view) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view, exact: true }).click();
}

/** From wherever we are to a recording's workspace. */
export async function open(page, name) {
  await goTo(page, "Recordings");
  await entry(page, name).getByRole("link").click();
  return opened(page, name);
}

/** So many corrections of the recording that is open are done. */
export async function corrections(page, count) {
  await eventually(
    `there are ${count} corrections`,
    async () => (await workspace(page).locator('[data-version-status="completed"]').count()) === count,
    JOB_MS,
  );
  await waitForStatus(workspace(page), "completed");
}

/** What was folded away. */
export async function unfold(place, words) {
  const summary = place.locator("summary").filter({ hasText: words }).first();
  await summary.waitFor();
  if (!(await summary.evaluate((element) => element.parentElement.open))) await summary.click();
}

/** Waits until both versions come out of one player. */
export async function both(page) {
  const player = playerOf(workspace(page), "compare");
  await player.waitFor({ state: "attached", timeout: JOB_MS });
  return player;
}

export async function waitForStatus(place, status, ms = JOB_MS) {
  await eventually(
    `the newest job is ${status}`,
    async () => {
      const shown = await place.locator("[data-status]").first().getAttribute("data-status", { timeout: 1000 });
      if (shown !== status && ["completed", "failed", "cancelled"].includes(shown)) {
        throw new Error(`the job is ${shown}: ${await place.innerText()}`);
      }
      return shown === status;
    },
    ms,
  );
}

export function playerOf(place, kind) {
  return place.locator(`audio[data-player="${kind}"]`).first();
}

/** Starts a player as its own button does, and waits until it has really moved on. */
export async function playsOn(audio, what, seconds = 0.5) {
  await audio.evaluate(async (element) => {
    element.currentTime = 0;
    await element.play();
  });
  await eventually(`${what} plays on`, async () => {
    const { time, error } = await audio.evaluate((e) => ({ time: e.currentTime, error: e.error?.message ?? null }));
    if (error !== null) throw new Error(error);
    return time >= seconds;
  });
  return audio.evaluate((element) => element.duration);
}

/** Lets `page` read reports with `rewrite` applied to what the server answers. */
export async function rewriteReports(page, rewrite) {
  await page.route("**/report", async (route) => {
    try {
      const response = await route.fetch();
      await route.fulfill({ response, json: rewrite(await response.json()) });
    } catch (error) {
      // The page was reloaded or closed while the server answered: nobody waits for it any more.
      if (!/disposed|closed|canceled/i.test(error.message)) throw error;
    }
  });
}
