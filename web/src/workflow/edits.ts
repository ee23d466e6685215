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
  const gone = new Set([...ids].filter((id) => id in workflow.nodes));
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
  const renamed = new Map<string, string>();
  const now = (id: string) => renamed.get(id) ?? id;
  const wire = (old: Wire): Wire => ({ ...old, node: now(old.node) });
  let result = workflow;
  for (const edit of edits) {
    switch (edit.op) {
      case "set_value":
        result = setValue(result, now(edit.node), edit.name, edit.value);
        break;
      case "unset_value":
        result = unsetValue(result, now(edit.node), edit.name);
        break;
      case "connect":
        result = connect(result, now(edit.node), edit.socket, wire(edit.wire));
        break;
      case "disconnect":
        result = disconnect(result, now(edit.node), edit.socket);
        break;
      case "remove_node":
        result = removeNodes(result, [now(edit.node)]);
        break;
      case "add_node": {
        const taken = new Set(Object.keys(result.nodes));
        const id = taken.has(edit.id) ? freshId(edit.node.type, taken) : edit.id;
        renamed.set(edit.id, id);
        const inputs = Object.fromEntries(
          Object.entries(edit.node.inputs ?? {}).map(([socket, old]) => [socket, wire(old)]),
        );
        const node: PlacedNode = {
          ...edit.node,
          title: edit.node.title ?? "",
          mode: edit.node.mode ?? "run",
          inputs,
        };
        result = addNode(result, id, node, placeBefore(result, edit.near ?? null, sizeOf));
        break;
      }
    }
  }
  return result;
}

/** A free place to the left of the node `near`, or next to that where something lies there. */
function placeBefore(workflow: Workflow, near: string | null, sizeOf: (id: string) => Size): Point {
  const places = Object.entries(workflow.layout.nodes);
  const at = near ? workflow.layout.nodes[near] : undefined;
  const wanted = at ? { x: at.x - USUAL.width - GAP, y: at.y } : { x: 0, y: 0 };
  const boxes = places.map(([id, { x, y }]) => ({ x, y, ...sizeOf(id) }));
  return freePlace(boxes, wanted, USUAL);
}
