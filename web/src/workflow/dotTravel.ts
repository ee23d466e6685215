/** Ways along wires that stop at each dot, so that dots are reached by keyboard as nodes are. */

import type { Workflow } from "../api/types";
import type { Point } from "./edits";
import { dotsOf, type Segment, sourceOf } from "./reroutes";
import { ofThing, thing } from "./things";
import { type Direction, neighbour } from "./travel";

const HALF_NODE: Point = { x: 140, y: 24 }; // pixels from a node's corner to its title's middle

/** The node or dot that one gets to from a node or dot; see `neighbour`. */
export function nextThing(workflow: Workflow, from: string, direction: Direction): string | null {
  const { kind, id } = ofThing(from);
  if (kind === "dot") return fromDot(workflow, id, direction);
  const to = kind === "node" ? neighbour(workflow, id, direction) : null;
  if (to === null || (direction !== "upstream" && direction !== "downstream")) return to;
  const [taker, source] = direction === "upstream" ? [id, to] : [to, id];
  const wires = Object.entries(workflow.nodes[taker]?.inputs ?? {});
  const socket = wires.find(([, wire]) => wire.node === source)?.[0];
  const dots = socket === undefined ? [] : dotsOf(workflow, taker, socket);
  const dot = direction === "upstream" ? dots.at(-1) : dots[0];
  return dot === undefined ? to : thing("dot", dot);
}

function fromDot(workflow: Workflow, id: string, direction: Direction): string | null {
  const dots = workflow.layout.reroutes ?? {};
  const after = dots[id]?.after ?? null;
  if (!dots[id]) return null;
  if (direction === "upstream")
    return after !== null && dots[after] ? thing("dot", after) : (sourceOf(workflow, id)?.node ?? null);
  if (direction === "downstream") return byPlace(workflow, following(workflow, id))[0] ?? null;
  const beside = Object.keys(dots).filter((other) => (dots[other]?.after ?? null) === after);
  // Dots that stand alone after an output are gone through with all others.
  const row = beside.length > 1 && after !== null ? beside : Object.keys(dots);
  const order = byPlace(workflow, row.map((other) => thing("dot", other)));
  return order[order.indexOf(thing("dot", id)) + (direction === "next" ? 1 : -1)] ?? null;
}

/** The dots and nodes that wires go to from a dot. */
function following(workflow: Workflow, id: string): string[] {
  const dots = Object.entries(workflow.layout.reroutes ?? {});
  const next = dots.flatMap(([other, { after }]) => (after === id ? [thing("dot", other)] : []));
  const ends = Object.entries(workflow.layout.wires ?? {}).flatMap(([node, sockets]) =>
    workflow.nodes[node] && Object.values(sockets).some(({ via }) => via === id) ? [node] : [],
  );
  return [...next, ...ends];
}

function placeOf(workflow: Workflow, name: string): Point {
  const { kind, id } = ofThing(name);
  const { reroutes = {}, nodes } = workflow.layout;
  return (kind === "dot" ? reroutes[id] : nodes[id]) ?? { x: 0, y: 0 };
}

/** From top to bottom, then from left to right. */
function byPlace(workflow: Workflow, names: string[]): string[] {
  const at = (name: string) => placeOf(workflow, name);
  return [...names].sort((a, b) => at(a).y - at(b).y || at(a).x - at(b).x);
}

/** The last piece of a wire, and about its middle: there a dot is put that no hand points at. */
export function lastPiece(
  workflow: Workflow,
  node: string,
  socket: string,
): { segment: Segment; middle: Point } | null {
  const source = workflow.nodes[node]?.inputs[socket];
  if (!source) return null;
  const start = dotsOf(workflow, node, socket).at(-1) ?? null;
  const from = start
    ? placeOf(workflow, thing("dot", start))
    : { x: placeOf(workflow, source.node).x + HALF_NODE.x, y: placeOf(workflow, source.node).y };
  const to = placeOf(workflow, node);
  return {
    segment: { source, start, end: null, to: { node, socket } },
    middle: { x: (from.x + HALF_NODE.x + to.x) / 2, y: (from.y + to.y) / 2 + HALF_NODE.y },
  };
}
