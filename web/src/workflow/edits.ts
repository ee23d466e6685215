/** Changes of a workflow. Each gives a new workflow and shares everything that it did not touch. */

import type {
  Edit,
  Json,
  Layout,
  Mode,
  NodeLayout,
  PlacedNode,
  Wire,
  Workflow,
} from "../api/types";
import type { Size } from "./arrange";
import { freshId } from "./model";
import { freePlace } from "./room";
import {
  changed,
  isInterface,
  levelOf,
  placeFor,
  prefixOf,
  subgraphOf,
  withSocket,
} from "./subgraphs";

export interface Point {
  x: number;
  y: number;
}

const GAP = 64; // pixels between a node and one that a fix puts before it
const USUAL: Size = { width: 280, height: 104 }; // of a node that a fix adds

function withNode(
  workflow: Workflow,
  id: string,
  change: (node: PlacedNode) => PlacedNode,
): Workflow {
  const node = workflow.nodes[id];
  if (!node) return workflow;
  const changed = change(node);
  return changed === node ? workflow : { ...workflow, nodes: { ...workflow.nodes, [id]: changed } };
}

function withLayout(workflow: Workflow, nodes: Record<string, NodeLayout>): Workflow {
  const layout: Layout = { ...workflow.layout, nodes };
  return { ...workflow, layout };
}

export function setValue(workflow: Workflow, id: string, name: string, value: Json): Workflow {
  return withNode(workflow, id, (node) =>
    node.values[name] === value ? node : { ...node, values: { ...node.values, [name]: value } },
  );
}

export function unsetValue(workflow: Workflow, id: string, name: string): Workflow {
  return withNode(workflow, id, (node) => {
    if (!(name in node.values)) return node;
    const kept = Object.entries(node.values).filter(([key]) => key !== name);
    return { ...node, values: Object.fromEntries(kept) };
  });
}

export function setTitle(workflow: Workflow, id: string, title: string): Workflow {
  return withNode(workflow, id, (node) => (node.title === title ? node : { ...node, title }));
}

export function setMode(workflow: Workflow, ids: Iterable<string>, mode: Mode): Workflow {
  let changed = workflow;
  for (const id of ids) {
    changed = withNode(changed, id, (node) => (node.mode === mode ? node : { ...node, mode }));
  }
  return changed;
}

export function connect(workflow: Workflow, id: string, socket: string, wire: Wire): Workflow {
  return withNode(workflow, id, (node) => {
    const old = node.inputs[socket];
    const same = old?.node === wire.node && old.output === wire.output && !old.allow && !wire.allow;
    return same ? node : { ...node, inputs: { ...node.inputs, [socket]: wire } };
  });
}

export function disconnect(workflow: Workflow, id: string, socket: string): Workflow {
  return withNode(workflow, id, (node) => {
    if (!(socket in node.inputs)) return node;
    const { [socket]: _gone, ...inputs } = node.inputs;
    return { ...node, inputs };
  });
}

export function addNode(
  workflow: Workflow,
  id: string,
  node: PlacedNode,
  at: NodeLayout,
): Workflow {
  const added = { ...workflow, nodes: { ...workflow.nodes, [id]: node } };
  return withLayout(added, { ...workflow.layout.nodes, [id]: at });
}

/** The workflow without `ids` and without the wires that left them. */
export function removeNodes(workflow: Workflow, ids: Iterable<string>): Workflow {
  const gone = new Set([...ids].filter((id) => id in workflow.nodes && !isInterface(id)));
  if (gone.size === 0) return workflow;
  const nodes: Record<string, PlacedNode> = {};
  for (const [id, node] of Object.entries(workflow.nodes)) {
    if (!gone.has(id)) nodes[id] = withoutWiresFrom(node, gone);
  }
  const places = Object.entries(workflow.layout.nodes).filter(([id]) => !gone.has(id));
  return withLayout({ ...workflow, nodes }, Object.fromEntries(places));
}

function withoutWiresFrom(node: PlacedNode, gone: Set<string>): PlacedNode {
  const kept = Object.entries(node.inputs).filter(([, wire]) => !gone.has(wire.node));
  if (kept.length === Object.keys(node.inputs).length) return node;
  return { ...node, inputs: Object.fromEntries(kept) };
}

/** New places for some nodes; what else their layout holds stays. */
export function moveNodes(workflow: Workflow, places: Record<string, Point>): Workflow {
  const nodes = { ...workflow.layout.nodes };
  let moved = false;
  for (const [id, { x, y }] of Object.entries(places)) {
    const old = nodes[id];
    if (old && old.x === x && old.y === y) continue;
    nodes[id] = { ...old, x, y };
    moved = true;
  }
  return moved ? withLayout(workflow, nodes) : workflow;
}

export function setLayout(workflow: Workflow, id: string, change: Partial<NodeLayout>): Workflow {
  const old = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
  return withLayout(workflow, { ...workflow.layout.nodes, [id]: { ...old, ...change } });
}

/** A fix's edits, in order. Ids that they add are renamed where the workflow has them already. */
export function applyEdits(
  workflow: Workflow,
  edits: readonly Edit[],
  sizeOf: (id: string) => Size = () => USUAL,
): Workflow {
  const renamed = new Map<string, string>(); // by the names that the edits use, "up/k" inside "up"
  let result = workflow;
  for (const edit of edits) {
    const name = edit.op === "add_node" ? edit.id : edit.node;
    const { path, id } = placeFor(result, renamed.get(name) ?? name);
    if (edit.op === "add_input" || edit.op === "add_output") {
      result = withSocket(result, subgraphOf(levelOf(result, path).nodes[id]?.type), edit);
      continue;
    }
    const prefix = prefixOf(path);
    const wire = (old: Wire): Wire => {
      const now = renamed.get(prefix + old.node);
      return now ? { ...old, node: now.slice(prefix.length) } : old;
    };
    result = changed(result, path, (level) => {
      if (edit.op !== "add_node") return applied(level, id, edit, wire);
      const taken = new Set(Object.keys(level.nodes));
      const fresh = taken.has(id) ? freshId(edit.node.type, taken) : id;
      renamed.set(edit.id, prefix + fresh);
      const inputs = Object.entries(edit.node.inputs ?? {}).map(([k, old]) => [k, wire(old)]);
      const node: PlacedNode = {
        ...edit.node,
        title: edit.node.title ?? "",
        mode: edit.node.mode ?? "run",
        inputs: Object.fromEntries(inputs),
      };
      const near = edit.near?.startsWith(prefix) ? edit.near.slice(prefix.length) : null;
      return addNode(level, fresh, node, placeBefore(level, near, sizeOf));
    });
  }
  return result;
}

type Changing = Exclude<Edit, { op: "add_node" | "add_input" | "add_output" }>;

function applied(level: Workflow, id: string, edit: Changing, wire: (old: Wire) => Wire): Workflow {
  switch (edit.op) {
    case "set_value":
      return setValue(level, id, edit.name, edit.value);
    case "unset_value":
      return unsetValue(level, id, edit.name);
    case "connect":
      return connect(level, id, edit.socket, wire(edit.wire));
    case "disconnect":
      return disconnect(level, id, edit.socket);
    case "remove_node":
      return removeNodes(level, [id]);
  }
}

/** A free place to the left of the node `near`, or next to that where something lies there. */
function placeBefore(workflow: Workflow, near: string | null, sizeOf: (id: string) => Size): Point {
  const places = Object.entries(workflow.layout.nodes);
  const at = near ? workflow.layout.nodes[near] : undefined;
  const wanted = at ? { x: at.x - USUAL.width - GAP, y: at.y } : { x: 0, y: 0 };
  const boxes = places.map(([id, { x, y }]) => ({ x, y, ...sizeOf(id) }));
  return freePlace(boxes, wanted, USUAL);
}
