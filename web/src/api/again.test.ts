import { describe, expect, it, vi } from "vitest";
import { again, newKey } from "./again";
import { RequestFailed, ServerUnreachable, problemFromBody } from "./problem";

const refused = (status: number, type: string) =>
  new RequestFailed(problemFromBody(status, JSON.stringify({ type, title: "t", status, detail: "d" })));

describe("sending again", () => {
  const never = new AbortController().signal;

  it("goes on until there is an answer", async () => {
    const send = vi
      .fn<() => Promise<string>>()
      .mockRejectedValueOnce(new ServerUnreachable("cut off"))
      .mockRejectedValueOnce(refused(409, "/problems/request-under-way"))
      .mockResolvedValue("accepted");
    await expect(again(send, never, [0, 0, 0])).resolves.toBe("accepted");
    expect(send).toHaveBeenCalledTimes(3);
  });

  it("gives up after its last pause, with the last error", async () => {
    const send = vi.fn<() => Promise<string>>().mockRejectedValue(new ServerUnreachable("cut off"));
    await expect(again(send, never, [0, 0])).rejects.toThrow("cut off");
    expect(send).toHaveBeenCalledTimes(3);
  });

  it.each([refused(422, "/problems/idempotency-key-reused"), refused(503, "/problems/unavailable"), new Error("ours")])(
    "does not repeat what is answered: %s",
    async (error) => {
      const send = vi.fn<() => Promise<string>>().mockRejectedValue(error);
      await expect(again(send, never, [0])).rejects.toBe(error);
      expect(send).toHaveBeenCalledTimes(1);
    },
  );

  it("stops when it is told to while it waits", async () => {
    const told = new AbortController();
    const send = vi.fn<() => Promise<string>>().mockRejectedValue(new ServerUnreachable("cut off"));
    const sending = again(send, told.signal, [60_000]);
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(1));
    told.abort(new Error("enough"));
    await expect(sending).rejects.toThrow("enough");
    expect(send).toHaveBeenCalledTimes(1);
  });
});

describe("a key", () => {
  it("is another one each time, of characters that a header may hold", () => {
    const keys = new Set(Array.from({ length: 100 }, newKey));
    expect(keys.size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });
});
