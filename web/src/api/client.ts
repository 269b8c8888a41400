// One request to the API: makes sure there is a session, turns error answers into RequestFailed and
// silence into ServerUnreachable. The session is an HttpOnly cookie that scripts never see.

import { BASE } from "@/base";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";

export const API = `${BASE}/api/v1`;

export type Call = {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal | undefined;
};

let session: Promise<void> | null = null;

/** Resolves once the browser holds a session cookie. Asks the server once per page. */
export function openSession(): Promise<void> {
  session ??= send("/sessions", { method: "POST", body: { cookie: true } }).then(
    () => undefined,
    (error: unknown) => {
      session = null;
      throw error;
    },
  );
  return session;
}

/** What is asked for from here on needs none: a shared link opens without. */
export function asStranger(): void {
  session = Promise.resolve();
}

/** The session was refused: it has ended on the server. The next request opens another. */
export function forgetSession(): void {
  session = null;
}

/** The answer's JSON, or null where there is no body. */
export async function request(path: string, call: Call = {}): Promise<unknown> {
  await openSession();
  try {
    return await send(path, call);
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.problem.status !== 401) throw error;
    forgetSession();
    await openSession();
    return await send(path, call);
  }
}

async function send(path: string, { method = "GET", body, signal }: Call): Promise<unknown> {
  const init: RequestInit = { method, cache: "no-store", signal: signal ?? null };
  if (body !== undefined) {
    init.headers = { "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let status: number;
  let answer: string;
  try {
    const response = await fetch(`${API}${path}`, init);
    status = response.status;
    answer = await response.text();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ServerUnreachable(`${method} ${path} got no answer`, { cause: error });
  }
  if (status >= 400) throw new RequestFailed(problemFromBody(status, answer));
  return answer === "" ? null : (JSON.parse(answer) as unknown);
}
