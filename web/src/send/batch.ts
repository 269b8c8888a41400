// What is here and not yet sent, as a pure reducer: takes in the order in which they came, each with how far it is.

import type { Trouble } from "@/api/problem";
import type { Take } from "@/recording/take";

export type Item = {
  take: Take;
  /** At a fraction of 1 everything has been sent and the server is storing it. */
  state: { phase: "ready" } | { phase: "waiting" } | { phase: "sending"; fraction: number } | { phase: "failed"; trouble: Trouble };
};

export type Batch = readonly Item[];

export type BatchAction =
  | { type: "added"; takes: readonly Take[] }
  | { type: "removed"; key: string }
  /** All that is here is to be sent. */
  | { type: "send" }
  | { type: "progress"; key: string; fraction: number }
  | { type: "accepted"; key: string }
  | { type: "failed"; key: string; trouble: Trouble }
  | { type: "cancelled" };

export function reduceBatch(batch: Batch, action: BatchAction): Batch {
  switch (action.type) {
    case "added": {
      const known = new Set(batch.map(({ take }) => take.key));
      const fresh = action.takes.filter(({ key }) => !known.has(key));
      return [...batch, ...fresh.map((take): Item => ({ take, state: { phase: "ready" } }))];
    }
    case "removed":
    case "accepted":
      return batch.filter(({ take }) => take.key !== action.key);
    case "send":
      return batch.map((item) => (isUnderWay(item) ? item : { ...item, state: { phase: "waiting" } }));
    case "progress":
      // Words of one that was cancelled may still come.
      return batch.map((item) =>
        item.take.key === action.key && isUnderWay(item)
          ? { ...item, state: { phase: "sending", fraction: action.fraction } }
          : item,
      );
    case "failed":
      return batch.map((item) =>
        item.take.key === action.key ? { ...item, state: { phase: "failed", trouble: action.trouble } } : item,
      );
    case "cancelled":
      return batch.map((item) => (isUnderWay(item) ? { ...item, state: { phase: "ready" } } : item));
  }
}

export function isUnderWay({ state }: Item): boolean {
  return state.phase === "waiting" || state.phase === "sending";
}

/** Which to begin with now: those that waited longest, while fewer than `atOnce` are sent. */
export function next(batch: Batch, begun: ReadonlySet<string>, atOnce: number): Take[] {
  const waiting = batch.filter(({ take, state }) => state.phase === "waiting" && !begun.has(take.key));
  return waiting.slice(0, Math.max(0, atOnce - begun.size)).map(({ take }) => take);
}
