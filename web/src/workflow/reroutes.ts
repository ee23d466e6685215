/** Dots that wires pass through. They belong to the layout: what a wire carries does not depend on them. */

import type { Layout, Reroute, Wire, Workflow } from "../api/types";
import type { Point } from "./edits";
import { freshId, wiresOf } from "./model";

type Routes = NonNullable<Layout["wires"]>;

/** A piece of a wire: from its output or a dot to a dot (`end`) or to the input of `to`. */
export interface Segment {
  /** The output that every wire through here begins at. */
  source: Wire;
  /** The dot it begins at; null where it begins at the output. */
  start: string | null;
  /** The dot it ends at; null where it ends at the input. */
  end: string | null;
  /** The input it leads to; of a shared piece that of the first wire. */
  to: { node: string; socket: string };
}

const dotsIn = (workflow: Workflow) => workflow.layout.reroutes ?? {};
const routesIn = (workflow: Workflow): Routes => workflow.layout.wires ?? {};

/** The dots of a wire from its output to its input. */
export function dotsOf(workflow: Workflow, node: string, socket: string): string[] {
  const dots = dotsIn(workflow);
  const found: string[] = [];
  let at: string | null | undefined = routesIn(workflow)[node]?.[socket]?.via;
  while (at && dots[at] && !found.includes(at)) {
    found.push(at);
    at = dots[at]?.after;
  }
  return found.reverse();
}

/** Every piece of every wire once. */
export function* segmentsOf(workflow: Workflow): Generator<Segment> {
  const drawn = new Set<string>();
  for (const { node, socket, wire } of wiresOf(workflow)) {
    let start: string | null = null;
    const to = { node, socket };
    for (const end of dotsOf(workflow, node, socket)) {
      if (!drawn.has(end)) yield { source: wire, start, end, to };
      drawn.add(end);
      start = end;
    }
    yield { source: wire, start, end: null, to };
  }
}

/** The wires that pass through a dot. */
export function wiresThrough(
  workflow: Workflow,
  dot: string,
): { node: string; socket: string; wire: Wire }[] {
  return [...wiresOf(workflow)].filter(({ node, socket }) =>
    dotsOf(workflow, node, socket).includes(dot),
  );
}

/** The output whose wires pass through a dot. */
export function sourceOf(workflow: Workflow, dot: string): Wire | null {
  for (const { node, socket, wire } of wiresOf(workflow)) {
    if (dotsOf(workflow, node, socket).includes(dot)) return wire;
  }
  return null;
}

function withRoutes(workflow: Workflow, reroutes: Layout["reroutes"], wires: Routes): Workflow {
  return { ...workflow, layout: { ...workflow.layout, reroutes, wires } };
}

/** Let a wire pass through the dot `via` (and those before it), or through none. */
export function setRoute(
  workflow: Workflow,
  node: string,
  socket: string,
  via: string | null,
): Workflow {
  if ((routesIn(workflow)[node]?.[socket]?.via ?? null) === via) return workflow;
  const wires = { ...routesIn(workflow) };
  const { [socket]: _old, ...others } = wires[node] ?? {};
  wires[node] = via ? { ...others, [socket]: { via } } : others;
  return withRoutes(workflow, dotsIn(workflow), wires);
}

/** A new dot on a piece of a wire; one before a dot is shared by all wires through that. */
export function addDot(
  workflow: Workflow,
  on: Pick<Segment, "start" | "end" | "to">,
  at: Point,
  id = freshDot(workflow),
): Workflow {
  const dot: Reroute = { x: at.x, y: at.y, ...(on.start ? { after: on.start } : {}) };
  const dots = { ...dotsIn(workflow), [id]: dot };
  const next = on.end ? dots[on.end] : undefined;
  if (on.end && next) {
    return withRoutes(workflow, { ...dots, [on.end]: { ...next, after: id } }, routesIn(workflow));
  }
  return setRoute(withRoutes(workflow, dots, routesIn(workflow)), on.to.node, on.to.socket, id);
}

export function freshDot(workflow: Workflow): string {
  const dots = dotsIn(workflow);
  return freshId("dot", { has: (id) => id in dots });
}

/** Without the dot: its wires go straight on to the next one. */
export function removeDot(workflow: Workflow, id: string): Workflow {
  const { [id]: gone, ...dots } = dotsIn(workflow);
  if (!gone) return workflow;
  const before = gone.after ?? null;
  const reroutes = Object.fromEntries(
    Object.entries(dots).map(([key, dot]) => [
      key,
      dot.after === id ? { ...dot, after: before } : dot,
    ]),
  );
  let result = withRoutes(workflow, reroutes, routesIn(workflow));
  for (const [node, sockets] of Object.entries(routesIn(workflow))) {
    for (const [socket, { via }] of Object.entries(sockets)) {
      if (via === id) result = setRoute(result, node, socket, before);
    }
  }
  return result;
}

export function moveDots(workflow: Workflow, places: Record<string, Point>): Workflow {
  const dots = { ...dotsIn(workflow) };
  let moved = false;
  for (const [id, { x, y }] of Object.entries(places)) {
    const old = dots[id];
    if (!old || (old.x === x && old.y === y)) continue;
    dots[id] = { ...old, x, y };
    moved = true;
  }
  return moved ? withRoutes(workflow, dots, routesIn(workflow)) : workflow;
}

/**
 * The workflow without dots that no wire passes, and with each dot carrying one output only: a wire that
 * was put on another output leaves the dots it shared.
 */
export function pruned(workflow: Workflow): Workflow {
  const { reroutes = {}, wires = {} } = workflow.layout;
  if (Object.keys(reroutes).length + Object.keys(wires).length === 0) return workflow;
  const owner = new Map<string, string>();
  const routes: Routes = {};
  let changed = false;
  for (const { node, socket, wire } of wiresOf(workflow)) {
    const path = dotsOf(workflow, node, socket);
    if (path.length === 0) continue;
    const source = JSON.stringify([wire.node, wire.output]);
    const ours = path.every((dot) => (owner.get(dot) ?? source) === source);
    if (!ours || !workflow.nodes[wire.node]) continue;
    for (const dot of path) owner.set(dot, source);
    (routes[node] ??= {})[socket] = { via: path.at(-1) as string };
  }
  const kept = Object.entries(reroutes).filter(([id]) => owner.has(id));
  changed ||= kept.length !== Object.keys(reroutes).length;
  changed ||= countOf(routes) !== countOf(wires);
  return changed ? withRoutes(workflow, Object.fromEntries(kept), routes) : workflow;
}

function countOf(routes: Routes): number {
  return Object.values(routes).reduce((sum, sockets) => sum + Object.keys(sockets).length, 0);
}
