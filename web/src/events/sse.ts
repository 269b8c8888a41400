// Parses a stream of server-sent events:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
// Text goes in as it arrives, cut anywhere; complete events come out.

export type ServerSentEvent = {
  /** The event's name, "message" where none is given. */
  name: string;
  text: string;
  /** The last id seen in the stream, this event's or an earlier one's. */
  id: string;
};

export type SseParser = {
  /** Feeds a piece of the stream. */
  push: (piece: string) => ServerSentEvent[];
  /** Where to go on after this stream. Also an empty event, which nobody hears of, moves it. */
  lastEventId: () => string;
};

/**
 * `startId` is the last id of the stream before. `onRetry` gets the milliseconds that the server asks
 * clients to wait before they connect again.
 */
export function createSseParser(startId = "", onRetry: (ms: number) => void = () => undefined): SseParser {
  let rest = "";
  let afterCarriageReturn = false;
  let first = true;
  let name = "";
  let lines: string[] = [];
  let id = startId;
  let lastEventId = startId;

  function takeLine(line: string, out: ServerSentEvent[]): void {
    if (line === "") {
      lastEventId = id;
      if (lines.length > 0) out.push({ name: name === "" ? "message" : name, text: lines.join("\n"), id });
      name = "";
      lines = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment: keep-alive
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") name = value;
    else if (field === "data") lines.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
  }

  return {
    push(piece) {
      const out: ServerSentEvent[] = [];
      let text = piece;
      if (first && text !== "") {
        first = false;
        if (text.startsWith("\uFEFF")) text = text.slice(1);
      }
      // A line feed that ends the carriage return of the piece before.
      if (afterCarriageReturn && text.startsWith("\n")) text = text.slice(1);
      if (piece !== "") afterCarriageReturn = piece.endsWith("\r");
      const parts = (rest + text).split(/\r\n|\n|\r/);
      rest = parts.pop() ?? "";
      for (const line of parts) takeLine(line, out);
      return out;
    },
    lastEventId: () => lastEventId,
  };
}
