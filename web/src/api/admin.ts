// What only whoever runs the server may do. The admin key is no session: it goes along with each of
// these requests and nowhere else.

import { type Submission, parseSubmission } from "./check";
import { API } from "./client";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";
import { sendWithProgress } from "./sendWithProgress";

const segment = encodeURIComponent;

function bearer(key: string): HeadersInit {
  return { authorization: `Bearer ${key}` };
}

async function ask(path: string, key: string, method: "GET" | "DELETE", signal?: AbortSignal): Promise<unknown> {
  let status: number;
  let answer: string;
  try {
    const response = await fetch(`${API}${path}`, {
      method,
      headers: bearer(key),
      cache: "no-store",
      credentials: "omit",
      signal: signal ?? null,
    });
    status = response.status;
    answer = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ServerUnreachable(`${method} ${path} got no answer`, { cause: error });
  }
  if (status >= 400) throw new RequestFailed(problemFromBody(status, answer));
  return answer === "" ? null : (JSON.parse(answer) as unknown);
}

/** Whether the key opens anything. */
export async function isAdminKey(key: string): Promise<boolean> {
  try {
    await ask("/admin", key, "GET");
    return true;
  } catch (error) {
    if (error instanceof RequestFailed && error.problem.status === 401) return false;
    throw error;
  }
}

export async function getSubmission(id: string, key: string, signal?: AbortSignal): Promise<Submission> {
  return parseSubmission(await ask(`/plugin-submissions/${segment(id)}`, key, "GET", signal));
}

export async function removeVersion(id: string, version: string, key: string): Promise<void> {
  await ask(`/plugins/${segment(id)}/versions/${segment(version)}`, key, "DELETE");
}

/** `onProgress` gets 0 to 1. */
export function sendPlugin(
  wasm: Blob,
  key: string,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Submission> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/wasm" };
  return sendWithProgress({ path: "/plugins", body: wasm, headers, onProgress, signal, parse: parseSubmission });
}
