// Sends a recording. XMLHttpRequest, because fetch cannot say how much of a body has been sent.

import type { Wish } from "./chain";
import { API, forgetSession, openSession } from "./client";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";
import { type Accepted, type Format, parseAccepted } from "./types";

export type Upload = {
  recording: Blob;
  fileName: string;
  userEmail: string;
  wish: Wish;
  format: Format;
};

/** `onProgress` gets 0 to 1. Aborting the signal ends the upload with the signal's reason. */
export async function sendRecording(
  upload: Upload,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Accepted> {
  await openSession();
  try {
    return await post(upload, onProgress, signal);
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.problem.status !== 401) throw error;
    forgetSession();
    await openSession();
    return await post(upload, onProgress, signal);
  }
}

function post(upload: Upload, onProgress: (fraction: number) => void, signal: AbortSignal): Promise<Accepted> {
  const form = new FormData();
  // The small fields first: a server that streams the upload knows them before the audio comes.
  form.append("user_email", upload.userEmail);
  if ("preset" in upload.wish) form.append("preset", upload.wish.preset);
  else form.append("chain", JSON.stringify(upload.wish.chain));
  form.append("format", upload.format);
  form.append("recording", upload.recording, upload.fileName);

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
        resolve(parseAccepted(JSON.parse(xhr.responseText)));
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
    xhr.open("POST", `${API}/recordings`);
    xhr.send(form);
  });
}
