/**
 * From far away many nodes are painted as one picture. The one under the pointer and chosen ones are
 * elements over it, so that they are dragged, opened and focused as always.
 */

import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { activeDocument, activeWorkflow, levelKey, useDocuments } from "../store/documents";
import { NONE_NEAR, useOverview } from "../store/overview";
import { useRuns } from "../store/runs";
import { useUi } from "../store/ui";
import { useView } from "../store/view";
import { NODE_WIDTH } from "./flow";
import { firstViewport, USUAL_HEIGHT } from "./instance";
import { paint, paletteOf } from "./paint";
import { boxOf, inSight, type Lookup, nodeAt, overlap } from "./scene";

const FAR = 0.45; // the zoom below which nodes have no widgets, as in nodes/useNode.ts
/** Nodes in sight from which on they are painted; fewer than the second, and they are elements again. */
const MANY = 60;
const FEWER = 45;
const SLICE = 6; // nodes that become elements in one frame
/** Milliseconds without a movement after which the picture gives way, and the most that it waits for that. */
const REST = 120;
const PATIENCE = 600;

// Another document is looked at from elsewhere: decided before its nodes are made elements for nothing.
useDocuments.subscribe((state, before) => {
  const [now, then] = [activeDocument(state), activeDocument(before)];
  if (now === then || levelKey(now) === levelKey(then)) return;
  const [id, workflow] = [levelKey(now), activeWorkflow()];
  const view = firstViewport(id, workflow.layout);
  let count = 0;
  if (view && view.zoom < FAR) {
    const sight = inSight([view.x, view.y, view.zoom], innerWidth, innerHeight);
    for (const { x, y } of Object.values(workflow.layout.nodes)) {
      const box = { left: x, top: y, right: x + NODE_WIDTH, bottom: y + USUAL_HEIGHT };
      if (overlap(box, sight)) count++;
    }
  }
  useOverview.setState({ on: count >= MANY, hovered: null, near: NONE_NEAR });
});

type Flow = ReturnType<typeof useStoreApi>;

const lookupOf = (flow: Flow) => flow.getState().nodeLookup as unknown as Lookup;

/** The nodes in sight, at most so many. */
function seen(flow: Flow, most = Infinity): string[] {
  const { transform, width, height } = flow.getState();
  const sight = inSight(transform, width, height);
  const found: string[] = [];
  for (const [id, internal] of lookupOf(flow)) {
    if (overlap(boxOf(internal), sight) && found.push(id) >= most) break;
  }
  return found;
}

/** Whether so many nodes are in sight, from so far away, that they are painted. */
function decide(flow: Flow): void {
  const { transform, width } = flow.getState();
  const { on, near } = useOverview.getState();
  const leaving = near !== NONE_NEAR;
  const least = on && !leaving ? FEWER : MANY;
  const painted = transform[2] < FAR && width > 0 && seen(flow, least).length >= least;
  if (painted && (!on || leaving))
    useOverview.setState({ on: true, hovered: null, near: NONE_NEAR });
  if (painted || !on || leaving) return rest.over();
  rest.soon(() => comeNear(flow));
}

/** Waits for the hand to rest: what it only passes by need not become elements. */
const rest = {
  timer: undefined as ReturnType<typeof setTimeout> | undefined,
  since: 0,
  soon(then: () => void): void {
    const now = performance.now();
    clearTimeout(this.timer);
    this.since ||= now;
    const left = this.since + PATIENCE - now;
    this.timer = setTimeout(
      () => {
        this.over();
        then();
      },
      Math.max(0, Math.min(REST, left)),
    );
  },
  over(): void {
    clearTimeout(this.timer);
    this.since = 0;
  },
};

/** Make elements of the nodes in sight, a few a frame over the picture, and let go of it after the last. */
function comeNear(flow: Flow): void {
  const { on, near } = useOverview.getState();
  const missing = seen(flow).filter((id) => !near.has(id));
  if (!on) return;
  if (missing.length === 0)
    return useOverview.setState({ on: false, hovered: null, near: NONE_NEAR });
  const now = new Set([...near, ...missing.slice(0, SLICE)]);
  useOverview.setState({ near: now });
  requestAnimationFrame(() => {
    if (useOverview.getState().near === now) comeNear(flow); // else it was decided otherwise
  });
}

/** Paints anew in the next frame, however often it was asked for. */
function painter(flow: Flow, canvas: HTMLCanvasElement): { soon(): void; anew(): void } {
  let asked = 0;
  let palette: ReturnType<typeof paletteOf> | null = null;
  const now = () => {
    asked = 0;
    const { on, hovered } = useOverview.getState();
    canvas.hidden = !on;
    if (!on) return;
    const { width, height, transform } = flow.getState();
    const density = Math.min(devicePixelRatio, 2);
    if (canvas.width !== Math.round(width * density)) canvas.width = Math.round(width * density);
    if (canvas.height !== Math.round(height * density))
      canvas.height = Math.round(height * density);
    const context = canvas.getContext("2d");
    if (!context) return;
    palette ??= paletteOf(canvas.parentElement as HTMLElement);
    const { selected } = useView.getState();
    const lookup = lookupOf(flow);
    const shown = new Set([...selected, hovered ?? ""].filter((id) => !lookup.get(id)?.hidden));
    const picture = { workflow: activeWorkflow(), lookup, transform, selected, shown, palette };
    canvas.dataset.drawn = String(paint(context, picture, width, height, density));
  };
  const soon = () => {
    asked ||= requestAnimationFrame(now);
  };
  const anew = () => {
    palette = null;
    soon();
  };
  return { soon, anew };
}

/** A box that was drawn with Shift selects painted nodes, too. */
function watchBox(flow: Flow): () => void {
  let last = flow.getState().userSelectionRect;
  return flow.subscribe((state) => {
    const box = state.userSelectionRect;
    if (box || !last || !useOverview.getState().on) {
      last = box;
      return;
    }
    const drawn = last;
    last = null;
    const [x, y, zoom] = state.transform;
    const within = {
      left: (drawn.x - x) / zoom,
      top: (drawn.y - y) / zoom,
      right: (drawn.x + drawn.width - x) / zoom,
      bottom: (drawn.y + drawn.height - y) / zoom,
    };
    const inside = Object.keys(activeWorkflow().nodes).filter((id) => {
      const internal = lookupOf(flow).get(id);
      return internal && overlap(boxOf(internal), within);
    });
    if (inside.length) queueMicrotask(() => useView.getState().select(inside));
  });
}

/** Make the node under the pointer an element, unless a button is held. */
function watchPointer(flow: Flow, element: HTMLElement): () => void {
  const look = (event: PointerEvent) => {
    const { on, hovered } = useOverview.getState();
    if (!on || (event.type === "pointermove" && event.buttons)) return;
    const { transform } = flow.getState();
    const box = element.getBoundingClientRect();
    const x = (event.clientX - box.left - transform[0]) / transform[2];
    const y = (event.clientY - box.top - transform[1]) / transform[2];
    const node = nodeAt(activeWorkflow(), lookupOf(flow), x, y);
    if (node !== hovered) useOverview.setState({ hovered: node });
    // A finger does not hover first: what it taps is chosen.
    if (event.type === "pointerup" && event.pointerType === "touch" && node)
      queueMicrotask(() => useView.getState().select([node]));
  };
  element.addEventListener("pointermove", look);
  element.addEventListener("pointerup", look);
  return () => {
    element.removeEventListener("pointermove", look);
    element.removeEventListener("pointerup", look);
  };
}

export function Overview() {
  const flow = useStoreApi();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const around = element?.parentElement;
    if (!element || !around) return;
    const { soon, anew } = painter(flow, element);
    const moved = () => {
      decide(flow);
      if (useOverview.getState().on) soon();
    };
    moved();
    const stores = [useView, useDocuments, useChecks, useRuns, useCatalogue];
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => setTimeout(anew); // once the theme is on the page
    dark.addEventListener("change", repaint);
    const ends = [
      flow.subscribe(moved),
      ...stores.map((store) => store.subscribe(soon)),
      // What comes near lies over what is painted of it.
      useOverview.subscribe((now, before) => now.near === before.near && soon()),
      useUi.subscribe((now, before) => now.theme !== before.theme && repaint()),
      watchBox(flow),
      watchPointer(flow, around),
    ];
    return () => {
      for (const end of ends) end();
      dark.removeEventListener("change", repaint);
    };
  }, [flow]);
  return (
    <canvas ref={canvas} className="overview" data-test="overview" aria-hidden="true" hidden />
  );
}
