/** The workflow as React Flow wants it: a pure mapping, with unchanged nodes kept as the same objects. */

import type { Edge, Node } from "@xyflow/react";
import type { Workflow } from "../api/types";
import type { Size } from "../workflow/arrange";
import { wiresOf } from "../workflow/model";
import type { Estimate } from "./estimate";

export type FlowNode = Node<Record<string, never>, "node">;
export type FlowEdge = Edge<Record<string, never>, "wire">;

export const NODE_WIDTH = 280;

const NOTHING: Record<string, never> = {};

export interface ViewState {
  selected: ReadonlySet<string>;
  measured: Readonly<Record<string, Size>>;
  /** In the overview only these are elements; the others are painted. */
  shown?: ReadonlySet<string> | null;
  /** What a node that was never drawn may be like; without it, all are drawn once to be measured. */
  estimate?: (id: string, width: number) => Estimate;
}

/** Flow nodes of the workflow. `before` is the last result; a node that did not change is taken from it. */
export function flowNodes(
  workflow: Workflow,
  view: ViewState,
  before: readonly FlowNode[],
): FlowNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const nodes = Object.keys(workflow.nodes).map((id) => {
    const place = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
    const width = place.width ?? NODE_WIDTH;
    const selected = view.selected.has(id);
    const guess = view.measured[id] ? undefined : view.estimate?.(id, width);
    const measured = view.measured[id] ?? guess?.size;
    const hidden = view.shown ? !view.shown.has(id) : false;
    const old = known.get(id);
    const same =
      old &&
      old.position.x === place.x &&
      old.position.y === place.y &&
      old.width === width &&
      old.selected === selected &&
      (old.hidden ?? false) === hidden &&
      old.measured === measured;
    if (same) return old;
    const position = { x: place.x, y: place.y };
    const node = { id, type: "node" as const, position, width, selected, measured, data: NOTHING };
    return { ...node, hidden, handles: guess?.handles };
  });
  return nodes.length === before.length && nodes.every((node, i) => node === before[i])
    ? (before as FlowNode[])
    : nodes;
}

export function edgeId(node: string, socket: string): string {
  return `${node}:${socket}`;
}

/** The node and socket of an edge's id; the socket is what follows the last colon. */
export function ofEdgeId(id: string): { node: string; socket: string } {
  const at = id.lastIndexOf(":");
  return { node: id.slice(0, at), socket: id.slice(at + 1) };
}

/** Flow edges of the workflow; a wire whose source is gone has no edge. */
export function flowEdges(
  workflow: Workflow,
  selected: ReadonlySet<string>,
  before: readonly FlowEdge[],
): FlowEdge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  const edges: FlowEdge[] = [];
  for (const { node, socket, wire } of wiresOf(workflow)) {
    if (!workflow.nodes[wire.node]) continue;
    const id = edgeId(node, socket);
    const chosen = selected.has(id);
    const old = known.get(id);
    const same =
      old &&
      old.source === wire.node &&
      old.sourceHandle === wire.output &&
      old.selected === chosen;
    edges.push(
      same
        ? old
        : {
            id,
            type: "wire",
            source: wire.node,
            sourceHandle: wire.output,
            target: node,
            targetHandle: socket,
            selected: chosen,
            data: NOTHING,
          },
    );
  }
  return edges.length === before.length && edges.every((edge, i) => edge === before[i])
    ? (before as FlowEdge[])
    : edges;
}
