/** Fingers: a long press opens the menu, and two taps make a wire. */

import { announce } from "../store/announce";
import { beginDrag, endDrag } from "../store/drag";
import { useTapping } from "../store/tapping";
import { type DragOrigin, ui } from "../store/ui";
import { useView } from "../store/view";
import type { Point } from "../workflow/edits";
import { ofThing } from "../workflow/things";
import { drop } from "./connect";
import { toCanvas } from "./instance";
import { t } from "../i18n/t";

const LONG = 500; // milliseconds
const STILL = 10; // pixels that a resting finger may wander

/** A tap on a socket begins a wire, or ends the one that a tap began. */
export function tapSocket(at: DragOrigin, screen: Point): void {
  const { from } = useTapping.getState();
  if (from && from.side !== at.side) {
    stopTapping();
    void drop(from, at.node, at.socket, screen);
    return;
  }
  const same = from?.node === at.node && from.socket === at.socket;
  stopTapping();
  if (same) return;
  ui({ refusal: null });
  useTapping.setState({ from: at });
  beginDrag(at);
  announce(t("Now tap the socket at the other end."));
}

export function stopTapping(): void {
  if (!useTapping.getState().from) return;
  useTapping.setState({ from: null });
  endDrag();
}

function openMenu(target: Element, screen: Point): void {
  const node = target.closest(".react-flow__node")?.getAttribute("data-id") ?? null;
  if (!node && !target.closest(".react-flow__pane")) return;
  if (node && !useView.getState().selected.has(node)) useView.getState().select([node]);
  const place = node ? ofThing(node).kind : "canvas";
  ui({ contextMenu: { screen, at: toCanvas(screen), node, place } });
}

/** Listen for long presses on the canvas; the answer ends it. */
export function listenToTouch(element: HTMLElement): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let start: Point | null = null;
  let opened = false;
  const end = () => {
    clearTimeout(timer);
    start = null;
  };
  const down = (event: PointerEvent) => {
    end();
    opened = false;
    const target = event.target as Element;
    if (event.pointerType !== "touch" || !event.isPrimary || target.closest("input, textarea"))
      return;
    start = { x: event.clientX, y: event.clientY };
    const screen = start;
    timer = setTimeout(() => {
      opened = true;
      openMenu(target, screen);
    }, LONG);
  };
  const move = (event: PointerEvent) => {
    if (!start || !event.isPrimary) return;
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL) end();
  };
  // Some browsers tell of a long press themselves: one menu is enough.
  const native = (event: Event) => {
    if (!opened) return end();
    event.preventDefault();
    event.stopPropagation();
  };
  const on = { signal: stop.signal, capture: true };
  element.addEventListener("pointerdown", down, on);
  element.addEventListener("pointermove", move, on);
  element.addEventListener("pointerup", end, on);
  element.addEventListener("pointercancel", end, on);
  element.addEventListener("contextmenu", native, on);
  // The click that follows a long press must not close what it opened.
  const click = (event: Event) => {
    if (!opened) return;
    opened = false;
    event.stopPropagation();
    event.preventDefault();
  };
  element.addEventListener("click", click, on);
  return () => {
    end();
    stop.abort();
  };
}
