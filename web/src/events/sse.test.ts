import { describe, expect, it } from "vitest";
import { type ServerSentEvent, createSseParser } from "./sse";

function parse(...pieces: string[]): ServerSentEvent[] {
  const parser = createSseParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

const STREAM =
  ': hello\n\nid: 7\nevent: job.progress\ndata: {"a":1}\n\nevent: job.completed\ndata: one\ndata:two\nid: 8\n\ndata\n\n';
const EVENTS: ServerSentEvent[] = [
  { name: "job.progress", text: '{"a":1}', id: "7" },
  { name: "job.completed", text: "one\ntwo", id: "8" },
  { name: "message", text: "", id: "8" },
];

describe("the parser of server-sent events", () => {
  it("gives names, lines joined, and ids that stay until the next one", () => {
    expect(parse(STREAM)).toEqual(EVENTS);
  });

  it("does not care where the stream is cut", () => {
    for (let cut = 0; cut <= STREAM.length; cut += 1) {
      expect(parse(STREAM.slice(0, cut), STREAM.slice(cut)), `cut at ${cut}`).toEqual(EVENTS);
    }
    expect(parse(...STREAM.split(""))).toEqual(EVENTS);
  });

  it.each(["\r\n", "\r"])("takes %j as the end of a line, cut anywhere", (end) => {
    const stream = STREAM.replaceAll("\n", end);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(parse(stream.slice(0, cut), stream.slice(cut)), `cut at ${cut}`).toEqual(EVENTS);
    }
    expect(parse(...stream.split(""))).toEqual(EVENTS);
  });

  it("says nothing for comments, unknown fields and an event that was not ended", () => {
    expect(parse(": keep-alive\n\n", "colour: red\n\n", "data: cut off")).toEqual([]);
  });

  it("removes one leading space of a value and the byte order mark of the stream", () => {
    expect(parse("\uFEFFdata:  x\n\n")).toEqual([{ name: "message", text: " x", id: "" }]);
  });

  it("goes on from the id of the stream before, and from that of an empty event", () => {
    const parser = createSseParser("6");
    expect(parser.push("data: x\n\n")).toEqual([{ name: "message", text: "x", id: "6" }]);
    expect(parser.push("id: 9\n")).toEqual([]);
    expect(parser.lastEventId()).toBe("6");
    expect(parser.push("retry: 5\n\n")).toEqual([]);
    expect(parser.lastEventId()).toBe("9");
  });

  it("ignores an id with a null character and a retry that is no number", () => {
    const asked: number[] = [];
    const parser = createSseParser("", (ms) => asked.push(ms));
    const events = parser.push("id: 3\nid: 4\0\nretry: soon\nretry: 250\ndata: x\n\n");
    expect(events).toEqual([{ name: "message", text: "x", id: "3" }]);
    expect(asked).toEqual([250]);
  });
});
