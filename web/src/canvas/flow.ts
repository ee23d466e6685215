/** The workflow as React Flow wants it: a pure mapping, with what did not change kept as the same objects. */

import type { Edge, Node } from "@xyflow/react";
import type { Workflow } from "../api/types";
import { t } from "../i18n/t";
import type { Size } from "../workflow/arrange";
import { type Segment, segmentsOf } from "../workflow/reroutes";
import { boxOf, DOT, isPinned, ofThing, thing, thingsBeside } from "../workflow/things";
import type { Estimate } from "./estimate";

export type FlowNode = Node<Record<string, never>, "node" | "dot" | "group" | "note">;
export type FlowEdge = Edge<{ segment: Segment }, "wire">;

export const NODE_WIDTH = 280;

const NOTHING: Record<string, never> = {};
/** The handles of a dot. */
export const DOT_IN = "in";
export const DOT_OUT = "out";

export interface ViewState {
  selected: ReadonlySet<string>;
  measured: Readonly<Record<string, Size>>;
  /** In the overview only these are elements; the others are painted. */
  shown?: ReadonlySet<string> | null;
  /** What a node that was never drawn may be like; without it, all are drawn once to be measured. */
  estimate?: (id: string, width: number) => Estimate;
}

/** How high each kind lies: groups below wires, also when they are chosen (which lifts by 1000). */
const HEIGHTS = { node: 0, dot: 1, group: -2000, note: 0 } as const;

/** Flow nodes of the workflow. `before` is the last result; a node that did not change is taken from it. */
export function flowNodes(
  workflow: Workflow,
  view: ViewState,
  before: readonly FlowNode[],
): FlowNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const nodes = Object.keys(workflow.nodes).map((id) => {
    const { x, y, width = NODE_WIDTH, pinned } = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
    const guess = view.measured[id] ? undefined : view.estimate?.(id, width);
    const now = {
      width,
      selected: view.selected.has(id),
      measured: view.measured[id] ?? guess?.size,
      hidden: view.shown ? !view.shown.has(id) : false,
      draggable: pinned ? false : undefined,
    };
    const old = known.get(id);
    if (old && isSame(old, x, y, now)) return old;
    const type = "node" as const;
    return { id, type, position: { x, y }, ...now, handles: guess?.handles, data: NOTHING };
  });
  const all = [...nodes, ...besides(workflow, view, known)];
  return all.length === before.length && all.every((node, i) => node === before[i])
    ? (before as FlowNode[])
    : all;
}

/** Dots, groups and notes. In the overview wires are painted straight, so there are no dots. */
function besides(
  workflow: Workflow,
  view: ViewState,
  known: ReadonlyMap<string, FlowNode>,
): FlowNode[] {
  return thingsBeside(workflow).map((id) => {
    const type = ofThing(id).kind;
    const { x, y, width, height } = boxOf(workflow, id, () => DOT) ?? { x: 0, y: 0, ...DOT };
    const now = {
      width,
      height,
      selected: view.selected.has(id),
      measured: view.measured[id],
      hidden: type === "dot" && Boolean(view.shown),
      draggable: isPinned(workflow, id) ? false : undefined,
    };
    const old = known.get(id);
    if (old && isSame(old, x, y, now)) return old;
    const handle = type === "group" ? { dragHandle: ".group-title" } : {};
    const made = { id, type, position: { x, y }, ...now, ...handle, data: NOTHING };
    return { ...made, zIndex: HEIGHTS[type] };
  });
}

function isSame(old: FlowNode, x: number, y: number, now: Partial<FlowNode>): boolean {
  return (
    old.position.x === x &&
    old.position.y === y &&
    old.width === now.width &&
    old.height === now.height &&
    old.selected === now.selected &&
    old.measured === now.measured &&
    old.draggable === now.draggable &&
    (old.hidden ?? false) === now.hidden
  );
}

export function edgeId(node: string, socket: string): string {
  return `${node}:${socket}`;
}

/** The node and socket of an edge's id; the socket is what follows the last colon. */
export function ofEdgeId(id: string): { node: string; socket: string } {
  const at = id.lastIndexOf(":");
  return { node: id.slice(0, at), socket: id.slice(at + 1) };
}

/** Flow edges of the workflow, one for each piece of a wire; a wire whose source is gone has none. */
export function flowEdges(
  workflow: Workflow,
  selected: ReadonlySet<string>,
  before: readonly FlowEdge[],
): FlowEdge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  const edges: FlowEdge[] = [];
  for (const segment of segmentsOf(workflow)) {
    if (!workflow.nodes[segment.source.node]) continue;
    const { start, end, source, to } = segment;
    const id = end ? edgeId(thing("dot", end), DOT_IN) : edgeId(to.node, to.socket);
    const chosen = selected.has(id);
    const old = known.get(id);
    edges.push(
      old && old.selected === chosen && isSameSegment(old.data?.segment, segment)
        ? old
        : {
            id,
            type: "wire",
            ariaLabel: t("Wire"),
            source: start ? thing("dot", start) : source.node,
            sourceHandle: start ? DOT_OUT : source.output,
            target: end ? thing("dot", end) : to.node,
            targetHandle: end ? DOT_IN : to.socket,
            selected: chosen,
            // A piece between dots belongs to several wires: its ends are moved with the dots.
            ...(end ? { reconnectable: false } : start ? { reconnectable: "target" as const } : {}),
            data: { segment },
          },
    );
  }
  return edges.length === before.length && edges.every((edge, i) => edge === before[i])
    ? (before as FlowEdge[])
    : edges;
}

function isSameSegment(a: Segment | undefined, b: Segment): boolean {
  return (
    a !== undefined &&
    a.start === b.start &&
    a.end === b.end &&
    a.source.node === b.source.node &&
    a.source.output === b.source.output &&
    a.to.node === b.to.node &&
    a.to.socket === b.to.socket
  );
}
