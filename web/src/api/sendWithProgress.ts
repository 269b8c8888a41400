// A POST whose body may be large: fetch cannot tell how much of it has been sent, so this is the older way.

import { API } from "./client";
import { problemFromBody, RequestFailed, ServerUnreachable } from "./problem";

type Sending<T> = {
  /** Below the API's root. */
  path: string;
  body: FormData | Blob;
  headers?: Readonly<Record<string, string>>;
  /** Gets 0 to 1. */
  onProgress: (fraction: number) => void;
  signal: AbortSignal;
  /** Of the answer's JSON. */
  parse: (answer: unknown) => T;
};

export function sendWithProgress<T>({ path, body, headers = {}, onProgress, signal, parse }: Sending<T>): Promise<T> {
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
        resolve(parse(JSON.parse(xhr.responseText)));
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
    xhr.open("POST", `${API}${path}`);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(body);
  });
}
