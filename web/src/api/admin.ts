// What only whoever runs the server may do. The admin key is no session: it goes along with each of
// these requests and nowhere else.

import { type Submission, parseSubmission } from "./check";
import { API } from "./client";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";

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

/** `onProgress` gets 0 to 1; fetch cannot tell how much of a body has been sent. */
export function sendPlugin(
  wasm: Blob,
  key: string,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Submission> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    const settle = () => signal.removeEventListener("abort", abort);
    xhr.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    xhr.onload = () => {
      settle();
      try {
        if (xhr.status >= 400) throw new RequestFailed(problemFromBody(xhr.status, xhr.responseText));
        resolve(parseSubmission(JSON.parse(xhr.responseText)));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    xhr.onerror = () => {
      settle();
      reject(new ServerUnreachable("the upload was cut off"));
    };
    xhr.onabort = () => {
      settle();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort);
    xhr.open("POST", `${API}/plugins`);
    xhr.setRequestHeader("authorization", `Bearer ${key}`);
    xhr.setRequestHeader("content-type", "application/wasm");
    xhr.send(wasm);
  });
}
