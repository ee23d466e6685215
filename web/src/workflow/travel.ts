/** Ways through a workflow along its wires, and what hangs on a socket. */

import type { Workflow } from "../api/types";
import { type Placed, type PlacedWire, wiresOf } from "./model";

export type Direction = "upstream" | "downstream" | "previous" | "next";

/** The wires at a socket: one at most at an input, any number at an output. */
export function wiresAt(
  workflow: Placed,
  node: string,
  socket: string,
  side: "in" | "out",
): PlacedWire[] {
  if (side === "in") {
    const wire = workflow.nodes[node]?.inputs[socket];
    return wire ? [{ node, socket, wire }] : [];
  }
  return [...wiresOf(workflow as Workflow)].filter(
    ({ wire }) => wire.node === node && wire.output === socket,
  );
}

const sources = (workflow: Placed, id: string): string[] =>
  [...new Set(Object.values(workflow.nodes[id]?.inputs ?? {}).map((wire) => wire.node))].filter(
    (source) => workflow.nodes[source],
  );

const takers = (workflow: Placed, id: string): string[] => [
  ...new Set(
    [...wiresOf(workflow as Workflow)].flatMap(({ node, wire }) => (wire.node === id ? node : [])),
  ),
];

/** From top to bottom, then from left to right. */
function byPlace(workflow: Workflow, ids: string[]): string[] {
  const at = (id: string) => workflow.layout.nodes[id] ?? { x: 0, y: 0 };
  return [...ids].sort((a, b) => at(a).y - at(b).y || at(a).x - at(b).x);
}

/**
 * The node that one gets to: along a wire to what it is made from or what takes it, or to the previous or
 * next of those that stand beside it (made from the same, or taken by the same). Null where there is none.
 */
export function neighbour(workflow: Workflow, id: string, direction: Direction): string | null {
  if (direction === "upstream") return sources(workflow, id)[0] ?? null;
  if (direction === "downstream") return byPlace(workflow, takers(workflow, id))[0] ?? null;
  const beside = new Set([id]);
  for (const taker of takers(workflow, id)) {
    for (const other of sources(workflow, taker)) beside.add(other);
  }
  for (const source of sources(workflow, id)) {
    for (const other of takers(workflow, source)) beside.add(other);
  }
  const all = beside.size > 1 ? [...beside] : Object.keys(workflow.nodes);
  const order = byPlace(workflow, all);
  return order[order.indexOf(id) + (direction === "next" ? 1 : -1)] ?? null;
}

/** Every node, each after those it is made from; what lies on a cycle comes last. */
export function inOrder(workflow: Workflow): string[] {
  const order: string[] = [];
  const waiting = new Map<string, number>();
  const ids = byPlace(workflow, Object.keys(workflow.nodes));
  const after = new Map<string, string[]>();
  for (const id of ids) {
    const from = sources(workflow, id);
    waiting.set(id, from.length);
    for (const source of from) after.set(source, [...(after.get(source) ?? []), id]);
  }
  const open = ids.filter((id) => waiting.get(id) === 0).reverse();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    order.push(id);
    const ready = (after.get(id) ?? []).filter((next) => {
      waiting.set(next, (waiting.get(next) ?? 0) - 1);
      return waiting.get(next) === 0;
    });
    open.push(...ready.reverse());
  }
  const done = new Set(order);
  return [...order, ...ids.filter((id) => !done.has(id))];
}
