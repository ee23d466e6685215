/** Which subgraphs nodes need, and how these come along when the nodes go to another workflow. */

import type { PlacedNode, Subgraph, Workflow } from "../api/types";
import { freshName, INSTANCE, subgraphOf } from "./subgraphs";

/** The ids of the subgraphs that some node of the workflow stands for, however deep. */
export function usedSubgraphs(workflow: Pick<Workflow, "nodes" | "subgraphs">): Set<string> {
  const found = new Set<string>();
  const open = [workflow.nodes];
  for (let nodes = open.pop(); nodes; nodes = open.pop()) {
    for (const { type } of Object.values(nodes)) {
      const id = subgraphOf(type);
      const inner = id === null ? undefined : workflow.subgraphs?.[id];
      if (id === null || !inner || found.has(id)) continue;
      found.add(id);
      open.push(inner.nodes);
    }
  }
  return found;
}

/** The workflow without subgraphs that no node of it stands for any more. */
export function withoutUnused(workflow: Workflow): Workflow {
  const ids = Object.keys(workflow.subgraphs ?? {});
  if (ids.length === 0) return workflow;
  const used = usedSubgraphs(workflow);
  if (ids.every((id) => used.has(id))) return workflow;
  return { ...workflow, subgraphs: needed(workflow.nodes, workflow.subgraphs) };
}

/** The subgraphs that these nodes need. */
export function needed(
  nodes: Record<string, PlacedNode>,
  subgraphs: Workflow["subgraphs"],
): Record<string, Subgraph> {
  const used = usedSubgraphs({ nodes, subgraphs });
  return Object.fromEntries(Object.entries(subgraphs ?? {}).filter(([id]) => used.has(id)));
}

/**
 * `workflow` with the subgraphs that `piece` brings, and the piece with the names that they have there: one
 * that is there already in the same form is not brought twice.
 */
export function carried(
  workflow: Workflow,
  piece: Workflow,
): { workflow: Workflow; piece: Workflow } {
  const brought = needed(piece.nodes, piece.subgraphs);
  if (Object.keys(brought).length === 0) return { workflow, piece };
  const there = { ...workflow.subgraphs };
  const names = new Map<string, string>();
  for (const [id, subgraph] of Object.entries(brought)) {
    const same = JSON.stringify(there[id]) === JSON.stringify(subgraph);
    const name = same
      ? id
      : freshName(id, { ...there, ...Object.fromEntries([...names.values()].map((n) => [n, 1])) });
    names.set(id, name);
  }
  const renamed = (nodes: Record<string, PlacedNode>) =>
    Object.fromEntries(
      Object.entries(nodes).map(([id, node]) => {
        const name = names.get(subgraphOf(node.type) ?? "");
        return [
          id,
          name && INSTANCE + name !== node.type ? { ...node, type: INSTANCE + name } : node,
        ];
      }),
    );
  for (const [id, subgraph] of Object.entries(brought)) {
    const name = names.get(id) as string;
    if (!(name in there)) there[name] = { ...subgraph, nodes: renamed(subgraph.nodes) };
  }
  return {
    workflow: { ...workflow, subgraphs: there },
    piece: { ...piece, nodes: renamed(piece.nodes), subgraphs: {} },
  };
}
