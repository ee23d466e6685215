/**
 * Subgraphs, one level at a time. The inside of a node is shown as a workflow of its own, in which two nodes
 * more stand for the interface: "$" gives what comes in, "$out" takes what goes out.
 */

import type { Layout, PlacedNode, Subgraph, Wire, Workflow } from "../api/types";
import { socketBase } from "./model";

export const INSTANCE = "subgraph:";
export const INPUTS = "$";
export const OUTPUTS = "$out";
export const IN_TYPE = "interface:in";
export const OUT_TYPE = "interface:out";
/** The socket of the interface that becomes a new one when a wire is put to it. */
export const NEW = "+";

const ROOM = 360; // pixels between the interface and what is inside

export type Path = readonly string[];

/** The subgraph that a node stands for, or null. */
export function subgraphOf(type: string | undefined): string | null {
  return type?.startsWith(INSTANCE) ? type.slice(INSTANCE.length) : null;
}

export const isInterface = (id: string): boolean => id === INPUTS || id === OUTPUTS;

/** What the names of nodes inside begin with, as the server tells them: "up/". */
export const prefixOf = (path: Path): string => path.map((id) => `${id}/`).join("");

/** The ids of the subgraphs on the way, as far as the path leads into some. */
export function subgraphsOn(workflow: Workflow, path: Path): string[] {
  const found: string[] = [];
  let nodes = workflow.nodes;
  for (const id of path) {
    const inner = subgraphOf(nodes[id]?.type);
    const subgraph = inner === null ? undefined : workflow.subgraphs?.[inner];
    if (!subgraph || found.includes(inner as string)) break;
    found.push(inner as string);
    nodes = subgraph.nodes;
  }
  return found;
}

const placedInterface = (type: string, inputs: Record<string, Wire> = {}): PlacedNode => ({
  type,
  version: 1,
  title: "",
  mode: "run",
  values: {},
  inputs,
});

const levels = new WeakMap<Subgraph, Workflow>();

/** The inside of a node as a workflow; the workflow itself where the path leads nowhere. */
export function levelOf(workflow: Workflow, path: Path): Workflow {
  const id = subgraphsOn(workflow, path).at(-1);
  const subgraph = id === undefined ? undefined : workflow.subgraphs?.[id];
  if (!subgraph) return workflow;
  const known = levels.get(subgraph);
  if (known && known.subgraphs === workflow.subgraphs) return known;
  const made = levelFrom(subgraph, workflow);
  levels.set(subgraph, made);
  return made;
}

function levelFrom(subgraph: Subgraph, workflow: Workflow): Workflow {
  const given: Record<string, Wire> = {};
  for (const [name, { node, output }] of Object.entries(subgraph.outputs ?? {})) {
    if (node) given[name] = { node, output };
  }
  const nodes = {
    [INPUTS]: placedInterface(IN_TYPE),
    ...subgraph.nodes,
    [OUTPUTS]: placedInterface(OUT_TYPE, given),
  };
  const { layout, groups = [], notes = [] } = subgraph;
  return {
    version: workflow.version,
    nodes,
    subgraphs: workflow.subgraphs,
    layout: { ...layout, nodes: { ...interfacePlaces(layout), ...layout?.nodes } },
    groups,
    notes,
  };
}

function interfacePlaces(layout: Layout | undefined): Layout["nodes"] {
  const places = Object.values(layout?.nodes ?? {});
  const xs = places.map(({ x }) => x);
  const y = places.length ? Math.min(...places.map((place) => place.y)) : 0;
  return {
    [INPUTS]: { x: (xs.length ? Math.min(...xs) : ROOM) - ROOM, y },
    [OUTPUTS]: { x: (xs.length ? Math.max(...xs) : 0) + ROOM, y },
  };
}

/** The workflow after a change of one level of it. */
export function changed(
  workflow: Workflow,
  path: Path,
  change: (level: Workflow) => Workflow,
): Workflow {
  const id = subgraphsOn(workflow, path).at(-1);
  const before = levelOf(workflow, path);
  const after = change(before);
  if (id === undefined) return after;
  const old = (after.subgraphs ?? workflow.subgraphs)?.[id];
  if (after === before || !old) return workflow;
  const subgraphs = { ...after.subgraphs, [id]: subgraphFrom(old, after) };
  return { ...workflow, subgraphs };
}

/** The subgraph that a changed level shows; wires at the interface's "+" become sockets of it. */
function subgraphFrom(old: Subgraph, level: Workflow): Subgraph {
  const inputs = { ...old.inputs };
  const outputs: Subgraph["outputs"] = {};
  const given = level.nodes[OUTPUTS]?.inputs ?? {};
  for (const [name, shown] of Object.entries(old.outputs))
    outputs[name] = { ...shown, node: given[name]?.node ?? "", output: given[name]?.output ?? "" };
  const added = given[NEW];
  if (added) outputs[freshName(socketBase(added.output), outputs)] = { ...added };
  const nodes: Record<string, PlacedNode> = {};
  for (const [id, node] of Object.entries(level.nodes)) {
    if (!isInterface(id)) nodes[id] = withoutNew(node, inputs, old);
  }
  const widgets = Object.entries(old.widgets).filter(([, shown]) => nodes[shown.node]);
  const { layout, groups, notes } = level;
  return {
    ...old,
    nodes: sameEntries(old.nodes, nodes),
    inputs: sameEntries(old.inputs, inputs),
    outputs: JSON.stringify(outputs) === JSON.stringify(old.outputs) ? old.outputs : outputs,
    widgets: sameEntries(old.widgets, Object.fromEntries(widgets)),
    layout,
    groups,
    notes,
  };
}

function withoutNew(node: PlacedNode, inputs: Subgraph["inputs"], old: Subgraph): PlacedNode {
  const wires = Object.entries(node.inputs);
  if (!wires.some(([, wire]) => wire.node === INPUTS && wire.output === NEW)) return node;
  const named = wires.map(([socket, wire]) => {
    if (wire.node !== INPUTS || wire.output !== NEW) return [socket, wire] as const;
    const name = freshName(socketBase(socket), { ...inputs, ...old.widgets });
    inputs[name] = {};
    return [socket, { ...wire, output: name }] as const;
  });
  return { ...node, inputs: Object.fromEntries(named) };
}

/** `old` where both hold the very same entries in the same order. */
function sameEntries<T>(old: Record<string, T>, now: Record<string, T>): Record<string, T> {
  const keys = Object.keys(now);
  const before = Object.keys(old);
  const same =
    keys.length === before.length && keys.every((k, i) => k === before[i] && old[k] === now[k]);
  return same ? old : now;
}

/** A name that `taken` lacks: "model", then "model_2". */
export function freshName(wanted: string, taken: object): string {
  const stem = wanted || "value";
  if (!(stem in taken)) return stem;
  for (let number = 2; ; number++) if (!(`${stem}_${number}` in taken)) return `${stem}_${number}`;
}

export interface Located {
  path: string[];
  id: string;
}

/** Where a node lies that the server names "up/k_sampler"; null where there is none. */
export function locate(workflow: Workflow, flat: string): Located | null {
  const path: string[] = [];
  let nodes = workflow.nodes;
  let rest = flat;
  while (!(rest in nodes)) {
    const ends = [...rest].flatMap((letter, at) => (letter === "/" ? [at] : []));
    const at = ends.find(
      (end) => workflow.subgraphs?.[subgraphOf(nodes[rest.slice(0, end)]?.type) ?? ""],
    );
    if (at === undefined) return null;
    const inner = workflow.subgraphs?.[subgraphOf(nodes[rest.slice(0, at)]?.type) ?? ""];
    if (!inner) return null;
    path.push(rest.slice(0, at));
    nodes = inner.nodes;
    rest = rest.slice(at + 1);
  }
  return { path, id: rest };
}

/** The node that the server calls so, wherever it lies. */
export function nodeAt(workflow: Workflow, flat: string): PlacedNode | undefined {
  const at = locate(workflow, flat);
  return at ? levelOf(workflow, at.path).nodes[at.id] : undefined;
}

/** Whether the two hold the same graphs, be their layouts as they may. */
export function sameGraph(one: Workflow, other: Workflow): boolean {
  if (one.nodes !== other.nodes) return false;
  const [left, right] = [one.subgraphs ?? {}, other.subgraphs ?? {}];
  if (left === right) return true;
  const ids = Object.keys(left);
  if (ids.length !== Object.keys(right).length) return false;
  return ids.every((id) =>
    (["nodes", "inputs", "outputs", "widgets", "title"] as const).every(
      (part) => left[id]?.[part] === right[id]?.[part],
    ),
  );
}

/** Where a node lies, or will lie, that edits name "up/k". */
export function placeFor(workflow: Workflow, name: string): Located {
  const known = locate(workflow, name);
  if (known) return known;
  const ends = [...name].flatMap((letter, at) => (letter === "/" ? [at] : [])).reverse();
  for (const end of ends) {
    const around = locate(workflow, name.slice(0, end));
    if (!around) continue;
    const path = [...around.path, around.id];
    if (subgraphsOn(workflow, path).length === path.length)
      return { path, id: name.slice(end + 1) };
  }
  return { path: [], id: name };
}

type NewSocket = { op: "add_input"; name: string } | { op: "add_output"; name: string; wire: Wire };

/** The workflow with one socket more at the interface of a subgraph. */
export function withSocket(workflow: Workflow, id: string | null, socket: NewSocket): Workflow {
  const old = id === null ? undefined : workflow.subgraphs?.[id];
  if (id === null || !old) return workflow;
  const now =
    socket.op === "add_input"
      ? { ...old, inputs: { ...old.inputs, [socket.name]: {} } }
      : { ...old, outputs: { ...old.outputs, [socket.name]: { ...socket.wire } } };
  return { ...workflow, subgraphs: { ...workflow.subgraphs, [id]: now } };
}
