// Sends a recording, opening a session first where there is none. It arrives once: a browser sends a POST
// again by itself whose connection broke, and so do people who see that it failed.

import { again } from "./again";
import type { Wish } from "./chain";
import { forgetSession, openSession } from "./client";
import { RequestFailed } from "./problem";
import { sendWithProgress } from "./sendWithProgress";
import { type Accepted, type AskedFormat, parseAccepted } from "./types";

export type Upload = {
  /** The recording's own, the same however often it is sent. */
  key: string;
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
  const key = keyOf(upload);
  const send = () => post(upload, key, onProgress, signal);
  await openSession();
  const accepted = await again(async () => {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof RequestFailed) || error.problem.status !== 401) throw error;
      forgetSession();
      await openSession();
      return await send();
    }
  }, signal);
  return accepted;
}

/** Said otherwise it is another request: the server refuses a key that was used for something else. */
export function keyOf({ key, fileName, userEmail, wish, format }: Omit<Upload, "recording">): string {
  return `${key}-${fingerprint(JSON.stringify([fileName, userEmail, wish, format]))}`;
}

/** FNV-1a, 32 bits: enough to tell a few orders of one recording apart. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function post(
  upload: Upload,
  key: string,
  onProgress: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Accepted> {
  const form = new FormData();
  // The small fields first: a server that streams the upload knows them before the audio comes.
  form.append("user_email", upload.userEmail);
  if ("preset" in upload.wish) form.append("preset", upload.wish.preset);
  else form.append("chain", JSON.stringify(upload.wish.chain));
  form.append("format", upload.format);
  form.append("recording", upload.recording, upload.fileName);

  const headers = { "idempotency-key": key };
  return sendWithProgress({ path: "/recordings", body: form, headers, onProgress, signal, parse: parseAccepted });
}
