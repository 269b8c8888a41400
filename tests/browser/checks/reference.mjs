// The reference of the HTTP interface at /docs: drawn from the server's own description, with nothing asked of
// anybody else and nothing that its Content-Security-Policy has to hold back.

import assert from "node:assert/strict";
import { openPage } from "../browser.mjs";

export async function referenceChapter({ browser, url, tally }) {
  const base = new URL(url).pathname.replace(/\/$/, "");
  const { context, page, complaints, requests } = await openPage(browser, url, {
    path: `${base}/docs`,
    // The version stands in it, too.
    heading: /^Retake/,
  });

  await tally.chapter(
    "The reference",
    [
      [
        "every operation is listed, and one opens",
        async () => {
          const described = await page.evaluate(async (address) => {
            const { paths, webhooks } = await (await fetch(address)).json();
            return [...Object.values(paths), ...Object.values(webhooks)].flatMap((path) => Object.keys(path)).length;
          }, `${base}/api/v1/openapi.json`);
          await page.locator(".opblock").first().waitFor();
          assert.equal(await page.locator(".opblock").count(), described);
          await page.locator("#operations-jobs-getJob button").first().click();
          await page.getByText("The job as it is now.").waitFor();
        },
      ],
      [
        "it asks only this server, and its policy holds nothing back",
        () => {
          assert.deepEqual(complaints, []);
          // Pictures that stand in the style sheet are asked of nobody.
          const paths = requests.map((request) => request.split(" ")[1]).filter((path) => path.startsWith("/"));
          const elsewhere = paths.filter((path) => !path.startsWith(`${base}/`));
          assert.deepEqual(elsewhere, []);
        },
      ],
    ],
  );
  await context.close();
}
