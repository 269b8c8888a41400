// What is told about things that are made on the server, passed on to whoever waits for one. Words may be lost with
// the stream: ask again after a while.

const ends = new EventTarget();

/** The thing under that address is ready, or cannot be made. */
export function tellEnd(address: string): void {
  ends.dispatchEvent(new Event(address));
}

export type Listening = { heard: Promise<void>; stop: () => void };

/** From now on: `heard` resolves at its end, after `patience` ms, or when it is stopped. */
export function listenForEnd(address: string, patience: number): Listening {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  const heard = new Promise<void>((resolve) => {
    const timer = setTimeout(stop, patience);
    stopped.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
    ends.addEventListener(address, stop, { signal: stopped.signal });
  });
  return { heard, stop };
}
