// Sends what is in the batch, two at a time, each under a key of its own: however often it is tried, it becomes one
// recording.

import { useCallback, useEffect, useReducer, useRef } from "react";
import type { Wish } from "@/api/chain";
import { describe } from "@/api/problem";
import type { Accepted, AskedFormat } from "@/api/types";
import { sendRecording } from "@/api/upload";
import type { Take } from "@/recording/take";
import { type Batch, isUnderWay, next, reduceBatch } from "./batch";

const AT_ONCE = 2;

export type Order = { userEmail: string; wish: Wish; format: AskedFormat };

export type Sent = { take: Take; order: Order; accepted: Accepted };

type Listener = {
  onAccepted: (sent: Sent) => void;
  onFailed: (error: unknown) => void;
  /** Nothing is under way any more, and something arrived: what it was. */
  onEnd: (sent: readonly Sent[]) => void;
};

export type BatchControls = {
  batch: Batch;
  add: (takes: readonly Take[]) => void;
  remove: (key: string) => void;
  send: (order: Order) => void;
  cancel: () => void;
};

export function useBatch(listener: Listener): BatchControls {
  const [batch, dispatch] = useReducer(reduceBatch, []);
  const order = useRef<Order | null>(null);
  const running = useRef(new Map<string, AbortController>());
  const sent = useRef<Sent[]>([]);
  const deliver = useRef(listener);
  useEffect(() => {
    deliver.current = listener;
  });

  const begin = useCallback((take: Take, wanted: Order) => {
    const stop = new AbortController();
    running.current.set(take.key, stop);
    const { key, blob, name } = take;
    const upload = { key, recording: blob, fileName: name, ...wanted };
    dispatch({ type: "progress", key, fraction: 0 });
    sendRecording(upload, (fraction) => dispatch({ type: "progress", key, fraction }), stop.signal)
      .then(
        (accepted) => {
          const one = { take, order: wanted, accepted };
          sent.current.push(one);
          deliver.current.onAccepted(one);
          dispatch({ type: "accepted", key });
        },
        (error: unknown) => {
          if (stop.signal.aborted) return;
          deliver.current.onFailed(error);
          dispatch({ type: "failed", key, trouble: describe(error) });
        },
      )
      .finally(() => {
        if (running.current.get(key) === stop) running.current.delete(key);
      });
  }, []);

  useEffect(() => {
    const wanted = order.current;
    if (wanted === null) return;
    for (const take of next(batch, new Set(running.current.keys()), AT_ONCE)) begin(take, wanted);
    if (batch.some(isUnderWay)) return;
    order.current = null;
    const all = sent.current.splice(0);
    if (all.length > 0) deliver.current.onEnd(all);
  }, [batch, begin]);

  useEffect(() => {
    const all = running.current;
    return () => {
      for (const stop of all.values()) stop.abort();
    };
  }, []);

  const cancel = useCallback(() => {
    for (const stop of running.current.values()) stop.abort();
    running.current.clear();
    dispatch({ type: "cancelled" });
  }, []);

  return {
    batch,
    add: useCallback((takes: readonly Take[]) => dispatch({ type: "added", takes }), []),
    remove: useCallback((key: string) => dispatch({ type: "removed", key }), []),
    send: useCallback((wanted: Order) => {
      order.current = wanted;
      dispatch({ type: "send" });
    }, []),
    cancel,
  };
}
