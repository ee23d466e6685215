/** Change what a subgraph shows outside: names of sockets, sockets that go, widgets that come and go. */

import type { PlacedNode, Subgraph, Wire, Workflow } from "../api/types";
import { setTitle } from "./edits";
import { freshName, INPUTS, INSTANCE, subgraphOf } from "./subgraphs";

type Side = "inputs" | "outputs";

function withSubgraph(
  workflow: Workflow,
  id: string,
  change: (subgraph: Subgraph) => Subgraph,
): Workflow {
  const old = workflow.subgraphs?.[id];
  return old ? { ...workflow, subgraphs: { ...workflow.subgraphs, [id]: change(old) } } : workflow;
}

/** Another title; wires and values go by the name, which stays. */
export function renameSocket(
  workflow: Workflow,
  id: string,
  side: Side | "widgets",
  name: string,
  title: string,
): Workflow {
  return withSubgraph(workflow, id, (old) => {
    const shown = old[side][name];
    return shown ? { ...old, [side]: { ...old[side], [name]: { ...shown, title } } } : old;
  });
}

/** A node's name. That of the only node of a subgraph is the subgraph's own. */
export function renameNode(level: Workflow, node: string, title: string): Workflow {
  const id = subgraphOf(level.nodes[node]?.type);
  const everywhere = [level.nodes, ...Object.values(level.subgraphs ?? {}).map((s) => s.nodes)];
  const same = everywhere.flatMap((nodes) =>
    Object.values(nodes).filter(({ type }) => type === level.nodes[node]?.type),
  );
  if (id === null || same.length !== 1 || !title) return setTitle(level, node, title);
  return withSubgraph(setTitle(level, node, ""), id, (old) =>
    old.title === title ? old : { ...old, title },
  );
}

/** Without the socket, and without the wires at it, inside and at every node that stands for it. */
export function removeSocket(workflow: Workflow, id: string, side: Side, name: string): Workflow {
  const type = INSTANCE + id;
  const outside = (nodes: Record<string, PlacedNode>) => {
    const own = new Set(Object.keys(nodes).filter((node) => nodes[node]?.type === type));
    return rewired(nodes, (node, socket, wire) =>
      side === "inputs"
        ? !(own.has(node) && socket === name)
        : !(own.has(wire.node) && wire.output === name),
    );
  };
  const inside = (nodes: Record<string, PlacedNode>) =>
    side === "inputs"
      ? rewired(nodes, (_node, _socket, wire) => !(wire.node === INPUTS && wire.output === name))
      : nodes;
  const freed = withSubgraph({ ...workflow, nodes: outside(workflow.nodes) }, id, (old) => {
    const kept = Object.entries(old[side]).filter(([key]) => key !== name);
    return { ...old, nodes: inside(old.nodes), [side]: Object.fromEntries(kept) };
  });
  const subgraphs = Object.entries(freed.subgraphs ?? {}).map(([key, subgraph]) => {
    const nodes = outside(subgraph.nodes);
    return [key, nodes === subgraph.nodes ? subgraph : { ...subgraph, nodes }] as const;
  });
  return { ...freed, subgraphs: Object.fromEntries(subgraphs) };
}

function rewired(
  nodes: Record<string, PlacedNode>,
  keeps: (node: string, socket: string, wire: Wire) => boolean,
): Record<string, PlacedNode> {
  let same = true;
  const entries = Object.entries(nodes).map(([id, node]) => {
    const kept = Object.entries(node.inputs).filter(([socket, wire]) => keeps(id, socket, wire));
    if (kept.length === Object.keys(node.inputs).length) return [id, node] as const;
    same = false;
    return [id, { ...node, inputs: Object.fromEntries(kept) }] as const;
  });
  return same ? nodes : Object.fromEntries(entries);
}

/** The name under which the subgraph shows the widget, or null. */
export function shownAs(subgraph: Subgraph | undefined, node: string, name: string): string | null {
  const found = Object.entries(subgraph?.widgets ?? {}).find(
    ([, shown]) => shown.node === node && shown.name === name,
  );
  return found?.[0] ?? null;
}

/** Show the widget outside, or no longer; what placed nodes set of it goes with it. */
export function toggleShown(workflow: Workflow, id: string, node: string, name: string): Workflow {
  return withSubgraph(workflow, id, (old) => {
    const known = shownAs(old, node, name);
    if (known !== null) {
      const kept = Object.entries(old.widgets).filter(([key]) => key !== known);
      return { ...old, widgets: Object.fromEntries(kept) };
    }
    const entry = freshName(name, { ...old.widgets, ...old.inputs });
    return { ...old, widgets: { ...old.widgets, [entry]: { node, name } } };
  });
}
