import { expect, test, vi } from "vitest";
import { listenForEnd, tellEnd } from "./derivativeNews";

test("whoever waits for one hears of its end and of no other's", async () => {
  vi.useFakeTimers();
  const { heard } = listenForEnd("/a", 1_000);
  const done = vi.fn();
  void heard.then(done);
  tellEnd("/b");
  await vi.advanceTimersByTimeAsync(0);
  expect(done).not.toHaveBeenCalled();
  tellEnd("/a");
  await vi.advanceTimersByTimeAsync(0);
  expect(done).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test("after a while nobody waits any more, since words may be lost", async () => {
  vi.useFakeTimers();
  const done = vi.fn();
  void listenForEnd("/a", 1_000).heard.then(done);
  await vi.advanceTimersByTimeAsync(999);
  expect(done).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(done).toHaveBeenCalledOnce();
  vi.useRealTimers();
});
