/** Dots on wires as the hand makes them: a double click, or a wire that is chosen and dragged. */

import { edit, newGesture } from "../store/documents";
import { useView } from "../store/view";
import type { Point } from "../workflow/edits";
import { addDot, freshDot, moveDots, type Segment } from "../workflow/reroutes";
import { thing } from "../workflow/things";
import { toCanvas } from "./instance";

const FAR = 5; // pixels that a press on a wire moves before it is a drag

const snap = ({ x, y }: Point): Point => ({ x: Math.round(x / 8) * 8, y: Math.round(y / 8) * 8 });

/** Put a dot on the piece of wire at a place on the canvas; the answer is its id. */
export function putDot(segment: Segment, at: Point, gesture?: string): string {
  let id = "";
  edit((workflow) => {
    id = freshDot(workflow);
    return addDot(workflow, segment, snap(at), id);
  }, gesture);
  if (id) useView.getState().select([thing("dot", id)]);
  return id;
}

/** Follow the pointer from a press on a wire: once it moves, a new dot goes with it. */
export function dragDot(segment: Segment, start: PointerEvent): void {
  const gesture = newGesture();
  let dot: string | null = null;
  const stop = new AbortController();
  const move = (event: PointerEvent) => {
    const at = { x: event.clientX, y: event.clientY };
    const far = Math.hypot(at.x - start.clientX, at.y - start.clientY) > FAR;
    if (!dot && far) dot = putDot(segment, toCanvas(at), gesture);
    const id = dot;
    if (id) edit((workflow) => moveDots(workflow, { [id]: snap(toCanvas(at)) }), gesture);
  };
  window.addEventListener("pointermove", move, { signal: stop.signal });
  for (const end of ["pointerup", "pointercancel"] as const)
    window.addEventListener(end, () => stop.abort(), { signal: stop.signal });
}
