// Mouse, wheel and fingers on the detail of the time line. Everything that is listened to ends with the signal.

import type { Transport } from "../sound/transport";
import type { StageModel } from "./stageModel";
import { span, timeAt } from "./timeline";

/** A press that moved less than this is a click. */
const CLICK_PX = 4;

/** A wheel that was turned elsewhere goes on scrolling the page for so long, also over the time line. */
const WHEEL_ELSEWHERE_MS = 400;

type Finger = { x: number; began_x: number; began_s: number };

export function handsOn(detail: HTMLElement, model: StageModel, transport: Transport, signal: AbortSignal): void {
  const width = () => detail.clientWidth;
  const xIn = (event: { clientX: number }) => event.clientX - detail.getBoundingClientRect().left;
  const at = (x: number) => timeAt(model.getStretch(), width(), x);

  let elsewhere = -Infinity;
  window.addEventListener(
    "wheel",
    (event) => {
      if (!(event.target instanceof Node && detail.contains(event.target))) elsewhere = event.timeStamp;
    },
    { passive: true, signal },
  );
  detail.addEventListener(
    "wheel",
    (event) => {
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 200 : 1;
      const across = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (!event.ctrlKey && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
        event.preventDefault();
        model.move(((across * unit) / width()) * span(model.getStretch()));
        return;
      }
      // Nothing more to see: the page scrolls on. Two fingers on a touchpad come as a wheel with Control.
      const out = event.deltaY > 0;
      const scrolls = !event.ctrlKey && ((out && model.isWhole) || event.timeStamp - elsewhere < WHEEL_ELSEWHERE_MS);
      if (scrolls) {
        elsewhere = event.timeStamp;
        return;
      }
      event.preventDefault();
      model.zoom(Math.exp(event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.002)), at(xIn(event)));
    },
    { passive: false, signal },
  );

  const fingers = new Map<number, Finger>();
  let pinched = false;
  detail.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      const x = xIn(event);
      fingers.set(event.pointerId, { x, began_x: x, began_s: at(x) });
      detail.setPointerCapture(event.pointerId);
      if (fingers.size > 1) pinched = true;
    },
    { signal },
  );
  detail.addEventListener(
    "pointermove",
    (event) => {
      const finger = fingers.get(event.pointerId);
      if (finger === undefined) return;
      const x = xIn(event);
      const other = [...fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) {
        const [before, now] = [Math.abs(finger.x - other.x), Math.abs(x - other.x)];
        if (before > 8 && now > 8) model.zoom(before / now, at((x + other.x) / 2));
      } else if (event.pointerType === "touch") {
        model.move(((finger.x - x) / width()) * span(model.getStretch()));
      } else if (Math.abs(x - finger.began_x) > CLICK_PX) {
        const to_s = at(Math.min(width(), Math.max(0, x)));
        transport.setLoop({ from_s: Math.min(finger.began_s, to_s), to_s: Math.max(finger.began_s, to_s) });
      }
      finger.x = x;
    },
    { signal },
  );
  const lift = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    fingers.delete(event.pointerId);
    const clicked = finger !== undefined && Math.abs(finger.x - finger.began_x) <= CLICK_PX;
    if (clicked && !pinched && event.type === "pointerup") transport.seek(at(finger.x));
    if (fingers.size === 0) pinched = false;
  };
  detail.addEventListener("pointerup", lift, { signal });
  detail.addEventListener("pointercancel", lift, { signal });
}

/** In the overview a press goes there, and a drag takes the shown stretch along. */
export function handsOnOverview(overview: HTMLElement, model: StageModel, transport: Transport, signal: AbortSignal): void {
  let dragging: { x: number; moved: boolean } | null = null;
  const at = (event: PointerEvent) => {
    const { left, width } = overview.getBoundingClientRect();
    return ((event.clientX - left) / Math.max(1, width)) * model.duration_s;
  };
  overview.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      overview.setPointerCapture(event.pointerId);
      dragging = { x: event.clientX, moved: false };
    },
    { signal },
  );
  overview.addEventListener(
    "pointermove",
    (event) => {
      if (dragging === null) return;
      if (!dragging.moved && Math.abs(event.clientX - dragging.x) <= CLICK_PX) return;
      dragging.moved = true;
      if (model.isWhole) transport.seek(at(event));
      else model.centre(at(event));
    },
    { signal },
  );
  overview.addEventListener(
    "pointerup",
    (event) => {
      if (dragging !== null && !dragging.moved) {
        transport.seek(at(event));
        model.show(at(event));
      }
      dragging = null;
    },
    { signal },
  );
  overview.addEventListener("pointercancel", () => (dragging = null), { signal });
}
