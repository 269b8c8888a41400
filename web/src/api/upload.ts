// Sends a recording, opening a session first where there is none.

import type { Wish } from "./chain";
import { forgetSession, openSession } from "./client";
import { RequestFailed } from "./problem";
import { sendWithProgress } from "./sendWithProgress";
import { type Accepted, type AskedFormat, parseAccepted } from "./types";

export type Upload = {
  recording: Blob;
  fileName: string;
  userEmail: string;
  wish: Wish;
  format: AskedFormat;
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

  return sendWithProgress({ path: "/recordings", body: form, onProgress, signal, parse: parseAccepted });
}
