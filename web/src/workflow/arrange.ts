/** Places for nodes that have none, and the Tidy up command: columns by distance from the start. */

import type { Workflow } from "../api/types";
import { moveNodes, type Point } from "./edits";
import { wiresOf } from "./model";

export interface Size {
  width: number;
  height: number;
}

const ACROSS = 72; // pixels between two columns
const DOWN = 32; // pixels between two nodes of a column

/** Each node's column: one more than the furthest node that feeds it. Nodes of a cycle end where it is cut. */
export function columns(workflow: Workflow): Map<string, number> {
  const waiting = new Map<string, number>();
  const feeds = new Map<string, string[]>();
  for (const id of Object.keys(workflow.nodes)) waiting.set(id, 0);
  for (const { node, wire } of wiresOf(workflow)) {
    if (!waiting.has(wire.node)) continue;
    waiting.set(node, (waiting.get(node) ?? 0) + 1);
    const fed = feeds.get(wire.node);
    if (fed) fed.push(node);
    else feeds.set(wire.node, [node]);
  }
  const column = new Map<string, number>();
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  for (const id of ready) column.set(id, 0);
  for (let next = 0; next < ready.length; next++) {
    const id = ready[next] as string;
    for (const fed of feeds.get(id) ?? []) {
      column.set(fed, Math.max(column.get(fed) ?? 0, (column.get(id) ?? 0) + 1));
      const left = (waiting.get(fed) ?? 1) - 1;
      waiting.set(fed, left);
      if (left === 0) ready.push(fed);
    }
  }
  for (const id of waiting.keys()) if (!column.has(id)) column.set(id, 0);
  // What nothing feeds stands right before its first reader, so that its wire passes behind no node.
  for (const [id, fed] of feeds) {
    if (Object.keys(workflow.nodes[id]?.inputs ?? {}).length > 0) continue;
    const first = Math.min(...fed.map((reader) => column.get(reader) ?? 0));
    column.set(id, Math.max(0, first - 1));
  }
  return column;
}

/** The workflow with its nodes (or only `which`) in tidy columns, beginning at the old top left corner. */
export function arrange(
  workflow: Workflow,
  sizeOf: (id: string) => Size,
  which?: Set<string>,
): Workflow {
  const column = columns(workflow);
  const stacks: string[][] = [];
  for (const [id, index] of column) {
    if (which && !which.has(id)) continue;
    (stacks[index] ??= []).push(id);
  }
  const places: Record<string, Point> = {};
  const start = topLeft(workflow, column.keys(), which);
  let x = start.x;
  for (const stack of stacks) {
    if (!stack) continue;
    const middle = new Map(stack.map((id) => [id, sourcesMiddle(workflow, id, places)]));
    stack.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
    let y = start.y;
    for (const id of stack) {
      places[id] = { x, y };
      y += snap(sizeOf(id).height + DOWN);
    }
    x += snap(Math.max(...stack.map((id) => sizeOf(id).width)) + ACROSS);
  }
  return moveNodes(workflow, places);
}

function topLeft(workflow: Workflow, ids: Iterable<string>, which?: Set<string>): Point {
  const at = [...ids]
    .filter((id) => !which || which.has(id))
    .flatMap((id) => workflow.layout.nodes[id] ?? []);
  if (at.length === 0) return { x: 0, y: 0 };
  return { x: Math.min(...at.map((p) => p.x)), y: Math.min(...at.map((p) => p.y)) };
}

/** The mean height of a node's sources as placed so far, so that wires cross less. */
function sourcesMiddle(workflow: Workflow, id: string, places: Record<string, Point>): number {
  const wires = Object.values(workflow.nodes[id]?.inputs ?? {});
  const heights = wires.flatMap((wire) => places[wire.node]?.y ?? []);
  const own = workflow.layout.nodes[id]?.y ?? 0;
  return heights.length ? heights.reduce((sum, y) => sum + y, 0) / heights.length + own / 1e6 : own;
}

const snap = (value: number) => Math.ceil(value / 8) * 8;

/** Places for the nodes that the layout does not know, below those that it does. */
export function placeMissing(workflow: Workflow, sizeOf: (id: string) => Size): Workflow {
  const known = workflow.layout.nodes;
  const missing = new Set(Object.keys(workflow.nodes).filter((id) => !known[id]));
  if (missing.size === 0) return workflow;
  const bottom = Object.entries(known).map(([id, place]) => place.y + sizeOf(id).height + DOWN);
  const arranged = arrange(workflow, sizeOf, missing);
  const drop = bottom.length ? Math.max(...bottom) : 0;
  const places: Record<string, Point> = {};
  for (const id of missing) {
    const at = arranged.layout.nodes[id] ?? { x: 0, y: 0 };
    places[id] = { x: at.x, y: at.y + drop };
  }
  return moveNodes(workflow, places);
}
