/** The automatic layout: dagre's layers, with groups kept together. Loaded when it is first asked for. */

import { Graph, layout } from "@dagrejs/dagre";
import type { Workflow } from "../api/types";
import type { Size } from "./arrange";
import { type Point } from "./edits";
import { around, setGroup } from "./frames";
import { wiresOf } from "./model";
import { dotsOf, removeDot } from "./reroutes";
import { boxOf, isNode, isPinned, membersOf, moveThings, thing } from "./things";

const ACROSS = 72; // pixels between two columns
const DOWN = 32; // pixels between two nodes of a column

const snap = (value: number) => Math.round(value / 8) * 8;

/**
 * The nodes (or only `which`) in layers from left to right, beginning at the old top left corner. Pinned ones
 * stay. Wires between moved nodes go straight again, and groups are fitted to what was in them.
 */
export function tidied(
  workflow: Workflow,
  sizeOf: (id: string) => Size,
  which?: ReadonlySet<string>,
): Workflow {
  const ids = Object.keys(workflow.nodes).filter(
    (id) => (!which || which.has(id)) && !isPinned(workflow, id),
  );
  if (ids.length === 0) return workflow;
  const moving = new Set(ids);
  const graph = new Graph({ compound: true });
  graph.setGraph({ rankdir: "LR", ranksep: ACROSS, nodesep: DOWN, ranker: "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { ...sizeOf(id) });
  const members = groupMembers(workflow, sizeOf, moving);
  for (const [group, inside] of members) {
    graph.setNode(thing("group", group), {});
    for (const id of inside) graph.setParent(id, thing("group", group));
  }
  for (const { node, wire } of wiresOf(workflow))
    if (moving.has(node) && moving.has(wire.node)) graph.setEdge(wire.node, node);
  layout(graph);
  const moved = moveThings(workflow, placesOf(workflow, graph, ids, sizeOf));
  return withGroups(straightened(moved, moving), members, sizeOf);
}

/** The nodes of each group that move with it, each in the first group that holds it. */
function groupMembers(
  workflow: Workflow,
  sizeOf: (id: string) => Size,
  moving: ReadonlySet<string>,
): Map<string, string[]> {
  const taken = new Set<string>();
  const found = new Map<string, string[]>();
  for (const group of workflow.groups) {
    const inside = membersOf(workflow, group, sizeOf).filter(
      (name) => isNode(name) && moving.has(name) && !taken.has(name),
    );
    if (inside.length === 0 || group.pinned) continue;
    for (const name of inside) taken.add(name);
    found.set(group.id, inside);
  }
  return found;
}

function placesOf(
  workflow: Workflow,
  graph: Graph,
  ids: readonly string[],
  sizeOf: (id: string) => Size,
): Record<string, Point> {
  const corner = (places: Point[]) => ({
    x: Math.min(...places.map(({ x }) => x)),
    y: Math.min(...places.map(({ y }) => y)),
  });
  const now = ids.map((id) => {
    const { x, y } = graph.node(id) as Point;
    const { width, height } = sizeOf(id);
    return { x: x - width / 2, y: y - height / 2 };
  });
  const before = corner(ids.map((id) => workflow.layout.nodes[id] ?? { x: 0, y: 0 }));
  const after = corner(now);
  return Object.fromEntries(
    ids.map((id, index) => {
      const { x, y } = now[index] as Point;
      return [id, { x: snap(x - after.x + before.x), y: snap(y - after.y + before.y) }];
    }),
  );
}

function straightened(workflow: Workflow, moving: ReadonlySet<string>): Workflow {
  let result = workflow;
  for (const { node, socket, wire } of wiresOf(workflow)) {
    if (!moving.has(node) || !moving.has(wire.node)) continue;
    for (const dot of dotsOf(workflow, node, socket)) result = removeDot(result, dot);
  }
  return result;
}

function withGroups(
  workflow: Workflow,
  members: ReadonlyMap<string, string[]>,
  sizeOf: (id: string) => Size,
): Workflow {
  let result = workflow;
  for (const [group, inside] of members) {
    const boxes = inside.flatMap((id) => boxOf(result, id, sizeOf) ?? []);
    result = setGroup(result, group, around(boxes));
  }
  return result;
}
