// A request that bears a key is done once however often it is sent: so it is sent again where its answer was
// lost, or is still being found.

import { RequestFailed, ServerUnreachable } from "./problem";

/** Before each further try. */
const PAUSES_MS = [500, 2_000, 5_000];

function isWorthIt(error: unknown): boolean {
  if (error instanceof ServerUnreachable) return true;
  return error instanceof RequestFailed && error.problem.type === "/problems/request-under-way";
}

export async function again<T>(
  send: () => Promise<T>,
  signal: AbortSignal,
  pausesMs: readonly number[] = PAUSES_MS,
): Promise<T> {
  for (const pause of pausesMs) {
    try {
      return await send();
    } catch (error) {
      if (!isWorthIt(error)) throw error;
    }
    await waited(pause, signal);
  }
  return await send();
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Visible ASCII, 128 random bits. `crypto.randomUUID` is missing where a page is not reached by https. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
