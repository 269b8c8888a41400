// The workspace's keys, wherever the focus is: not while somebody types, and a button keeps its own.

import { useEffect, useRef } from "react";
import type { Key } from "@/i18n";
import type { Transport } from "./sound/transport";
import type { StageModel } from "./stage/stageModel";
import { span } from "./stage/timeline";

/** What stands in the list of keys, in its order. */
export const KEYS: readonly (readonly [keys: string, words: Key])[] = [
  ["Space", "keys.play"],
  ["X", "keys.other"],
  ["R", "keys.removed"],
  ["← →", "keys.step"],
  ["Shift ← →", "keys.second"],
  ["Alt ← →", "keys.pixel"],
  ["Home End", "keys.ends"],
  ["[ ]", "keys.loop"],
  ["L", "keys.looping"],
  ["+ −", "keys.zoom"],
  ["0", "keys.fit"],
  ["S", "keys.spectrogram"],
  ["M", "keys.matched"],
  ["?", "keys.list"],
];

const STEP_S = 5;

type Others = { onPicture: () => void; onList: () => void };

export function useKeys(transport: Transport, model: StageModel, others: Others): void {
  const latest = useRef(others);
  useEffect(() => {
    latest.current = others;
  });
  useEffect(() => {
    const go = (to_s: number) => {
      transport.seek(to_s);
      model.show(transport.time_s);
    };
    const arrow = (event: KeyboardEvent, sign: number) => {
      const pixel_s = span(model.getStretch()) / Math.max(1, window.innerWidth);
      go(transport.time_s + sign * (event.altKey ? pixel_s : event.shiftKey ? 1 : STEP_S));
    };
    const actions: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
      " ": transport.toggle,
      x: transport.other,
      r: () => transport.hear(transport.getState().heard === "removed" ? "corrected" : "removed"),
      arrowleft: (event) => arrow(event, -1),
      arrowright: (event) => arrow(event, 1),
      home: () => go(0),
      end: () => go(transport.duration_s),
      "[": () => transport.loopFromHere(),
      "]": () => transport.loopToHere(),
      l: () => transport.toggleLooping(),
      "+": () => model.zoomIn(transport.time_s),
      "=": () => model.zoomIn(transport.time_s),
      "-": () => model.zoomOut(transport.time_s),
      "−": () => model.zoomOut(transport.time_s),
      "0": () => model.fit(),
      s: () => latest.current.onPicture(),
      m: () => transport.match(!transport.getState().matched),
      "?": () => latest.current.onList(),
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || isOthers(event)) return;
      const action = actions[event.key.toLowerCase()];
      if (action === undefined) return;
      event.preventDefault();
      action(event);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [transport, model]);
}

/** Keys that mean something where the focus is. */
function isOthers({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (document.querySelector("dialog[open]") !== null) return true;
  if (target.matches('input[type="checkbox"]')) return key === " ";
  if (target.matches('input[type="radio"]')) return key === " " || key.startsWith("Arrow");
  if (target.matches("input, textarea, select, [contenteditable]")) return true;
  return key === " " && target.closest("button, a, summary, [role=button]") !== null;
}
