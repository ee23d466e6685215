/** Small questions about a workflow, and its empty form. */

import type {
  Frame,
  Group,
  Json,
  NodeDefinition,
  Note,
  PlacedNode,
  Subgraph,
  Wire,
  Workflow,
} from "../api/types";

export const VERSION = 2;

/** The nodes of a workflow, for what does not care how they look. */
export type Placed = Pick<Workflow, "nodes">;

export type Definitions = Record<string, NodeDefinition>;

export function emptyWorkflow(): Workflow {
  return {
    version: VERSION,
    nodes: {},
    subgraphs: {},
    app: {},
    layout: { nodes: {} },
    groups: [],
    notes: [],
  };
}

/** `raw` with the parts that every function here relies on; unknown fields stay. */
export function normalised(raw: Workflow): Workflow {
  const nodes: Record<string, PlacedNode> = {};
  for (const [id, node] of Object.entries(raw.nodes ?? {})) {
    nodes[id] = {
      ...node,
      version: node.version ?? 1,
      title: node.title ?? "",
      mode: node.mode ?? "run",
      values: node.values ?? {},
      inputs: node.inputs ?? {},
    };
  }
  const layout = { ...raw.layout, nodes: { ...raw.layout?.nodes } };
  const groups = frames<Group>(raw.groups, "group", (group) => ({
    ...group,
    title: group.title ?? "",
  }));
  const notes = frames<Note>(raw.notes, "note", (note) => ({ ...note, text: note.text ?? "" }));
  const subgraphs = Object.fromEntries(
    Object.entries(raw.subgraphs ?? {}).map(([id, inside]) => [id, normalisedInside(inside)]),
  );
  return { ...emptyWorkflow(), ...raw, nodes, layout, groups, notes, subgraphs };
}

function normalisedInside(raw: Subgraph): Subgraph {
  const { title = "", inputs = {}, outputs = {}, widgets = {} } = raw;
  const { nodes, layout, groups, notes } = normalised({ ...raw, version: VERSION, subgraphs: {} });
  return { ...raw, title, inputs, outputs, widgets, nodes, layout, groups, notes };
}

/** Groups or notes, each with an id of its own; what is none is left out. */
function frames<T extends Frame>(raw: unknown, stem: string, whole: (frame: T) => T): T[] {
  const taken = new Set<string>();
  const found: T[] = [];
  for (const frame of Array.isArray(raw) ? (raw as Partial<T>[]) : []) {
    if (typeof frame?.x !== "number" || typeof frame.width !== "number") continue;
    const id = frame.id && !taken.has(frame.id) ? frame.id : freshId(stem, taken);
    taken.add(id);
    found.push(whole({ colour: "", ...frame, id } as unknown as T));
  }
  return found;
}

/** A node id that `taken` lacks: the type's last word, then with a number ("k_sampler", "k_sampler_2"). */
export function freshId(type: string, taken: { has(id: string): boolean }): string {
  const stem = type.startsWith("subgraph:") ? "subgraph" : (type.split(".").at(-1) ?? type);
  if (!taken.has(stem)) return stem;
  for (let number = 2; ; number++) {
    if (!taken.has(`${stem}_${number}`)) return `${stem}_${number}`;
  }
}

/** A node as it is when it is first placed: every widget at its default. */
export function placed(definition: NodeDefinition): PlacedNode {
  const values: Record<string, Json> = {};
  for (const widget of definition.widgets) {
    if (widget.default !== null && widget.default !== undefined)
      values[widget.name] = widget.default;
  }
  return {
    type: definition.type,
    version: definition.version,
    title: "",
    mode: "run",
    values,
    inputs: {},
  };
}

/** The socket's name without the number of a variadic one ("images.2" is "images"). */
export function socketBase(socket: string): string {
  return socket.replace(/\.\d+$/, "");
}

export interface PlacedWire {
  node: string;
  socket: string;
  wire: Wire;
}

export function* wiresOf(workflow: Workflow): Generator<PlacedWire> {
  for (const [node, placedNode] of Object.entries(workflow.nodes)) {
    for (const [socket, wire] of Object.entries(placedNode.inputs)) yield { node, socket, wire };
  }
}

/** A node's name for people: its own title, else its type's. */
export function titleOf(node: PlacedNode, definition: NodeDefinition | undefined): string {
  if (!definition) return node.title || node.type;
  const own = node.title && node.title !== definition.original; // saved in the source's language
  return own ? node.title : definition.title;
}

/** The nodes that `wanted` needs, themselves included. Works on cycles and long chains. */
export function ancestors(workflow: Placed, wanted: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const open = [...wanted];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = workflow.nodes[id];
    if (!node || found.has(id)) continue;
    found.add(id);
    for (const wire of Object.values(node.inputs)) open.push(wire.node);
  }
  return found;
}

/** The nodes that `sources` feed, themselves included. */
export function descendants(workflow: Placed, sources: Iterable<string>): Set<string> {
  const readers = new Map<string, string[]>();
  for (const [id, node] of Object.entries(workflow.nodes)) {
    for (const { node: source } of Object.values(node.inputs)) {
      const known = readers.get(source);
      if (known) known.push(id);
      else readers.set(source, [id]);
    }
  }
  const found = new Set<string>();
  const open = [...sources];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || !workflow.nodes[id]) continue;
    found.add(id);
    open.push(...(readers.get(id) ?? []));
  }
  return found;
}
