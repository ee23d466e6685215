/** Make one node of several, and several of one. Both are one change of a level. */

import type { PlacedNode, Subgraph, Wire, Workflow } from "../api/types";
import { freshId, socketBase } from "./model";
import { cut, joined } from "./packedRoutes";
import {
  freshName,
  INPUTS,
  INSTANCE,
  isInterface,
  levelOf,
  OUTPUTS,
  subgraphOf,
} from "./subgraphs";

export interface Packed {
  workflow: Workflow;
  /** The new node, or those that came out. */
  ids: string[];
  /** What those inside are called outside, by the names that they have inside. */
  names: ReadonlyMap<string, string>;
}

const GAP = 360; // pixels between the interface and what is inside

/** The chosen nodes inside one node, with a socket for each wire that went in or out. */
export function pack(workflow: Workflow, chosen: Iterable<string>, title: string): Packed | null {
  const ids = new Set([...chosen].filter((id) => workflow.nodes[id] && !isInterface(id)));
  if (ids.size === 0) return null;
  const taken = new Set(Object.keys(workflow.nodes));
  const id = freshId("subgraph", taken);
  const name = freshName("part", workflow.subgraphs ?? {});
  const inputs: Subgraph["inputs"] = {};
  const outside: Record<string, Wire> = {};
  const inside: Record<string, PlacedNode> = {};
  for (const inner of ids) {
    const node = workflow.nodes[inner] as PlacedNode;
    const wires = Object.entries(node.inputs).map(([socket, wire]) => {
      if (ids.has(wire.node)) return [socket, wire] as const;
      const known = Object.entries(outside).find(
        ([, w]) => w.node === wire.node && w.output === wire.output,
      );
      const entry = known?.[0] ?? freshName(socketBase(socket), inputs);
      inputs[entry] ??= {};
      outside[entry] = { node: wire.node, output: wire.output };
      return [socket, { ...wire, node: INPUTS, output: entry }] as const;
    });
    inside[inner] = { ...node, inputs: Object.fromEntries(wires) };
  }
  const outputs: Subgraph["outputs"] = {};
  const nodes: Record<string, PlacedNode> = {};
  for (const [other, node] of Object.entries(workflow.nodes)) {
    if (ids.has(other)) continue;
    const wires = Object.entries(node.inputs).map(([socket, wire]) => {
      if (!ids.has(wire.node)) return [socket, wire] as const;
      const known = Object.entries(outputs).find(
        ([, o]) => o.node === wire.node && o.output === wire.output,
      );
      const exit = known?.[0] ?? freshName(wire.output, outputs);
      outputs[exit] ??= { node: wire.node, output: wire.output };
      return [socket, { ...wire, node: id, output: exit }] as const;
    });
    nodes[other] = { ...node, inputs: Object.fromEntries(wires) };
  }
  nodes[id] = {
    type: INSTANCE + name,
    version: 1,
    title: "",
    mode: "run",
    values: {},
    inputs: outside,
  };
  const routes = cut(workflow, ids, nodes, id, outputs);
  const [places, box] = placesOf(workflow, ids);
  const kept = Object.entries(workflow.layout.nodes).filter(([other]) => !ids.has(other));
  const subgraph: Subgraph = {
    title,
    description: "",
    nodes: inside,
    inputs,
    outputs: toldApart(outputs, workflow),
    widgets: {},
    layout: {
      nodes: {
        ...places,
        [INPUTS]: { x: box.left - GAP, y: box.top },
        [OUTPUTS]: { x: box.right + GAP, y: box.top },
      },
      ...routes.inside,
    },
    groups: [],
    notes: [],
  };
  const snap = (value: number) => Math.round(value / 8) * 8;
  const at = { x: snap((box.left + box.right) / 2), y: snap((box.top + box.bottom) / 2) };
  return {
    workflow: {
      ...workflow,
      nodes,
      layout: {
        ...withoutRoutes(workflow.layout),
        ...routes.outside,
        nodes: { ...Object.fromEntries(kept), [id]: at },
      },
      subgraphs: { ...workflow.subgraphs, [name]: subgraph },
    },
    ids: [id],
    names: new Map([...ids].map((inner) => [inner, inner])),
  };
}

function withoutRoutes({ reroutes: _dots, wires: _wires, ...layout }: Workflow["layout"]) {
  return layout;
}

/** Outputs of one name are called after the nodes that give them. */
function toldApart(outputs: Subgraph["outputs"], workflow: Workflow): Subgraph["outputs"] {
  const same = (name: string) =>
    Object.values(outputs).filter(({ output }) => output === name).length > 1;
  const entries = Object.entries(outputs).map(([name, shown]) => {
    const title = workflow.nodes[shown.node]?.title;
    return [name, title && same(shown.output) ? { ...shown, title } : shown];
  });
  return Object.fromEntries(entries) as Subgraph["outputs"];
}

function placesOf(workflow: Workflow, ids: Iterable<string>) {
  const places: Workflow["layout"]["nodes"] = {};
  for (const id of ids) places[id] = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
  return [places, boxOf(places)] as const;
}

function boxOf(places: Workflow["layout"]["nodes"]) {
  const xs = Object.values(places).map(({ x }) => x);
  const ys = Object.values(places).map(({ y }) => y);
  if (xs.length === 0) return { left: 0, right: 0, top: 0, bottom: 0 };
  return {
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}

/** What is inside the node, in its place, wired and set as it was. Null where it stands for nothing. */
export function unpack(workflow: Workflow, id: string): Packed | null {
  const placed = workflow.nodes[id];
  const name = subgraphOf(placed?.type);
  const subgraph = name === null ? undefined : workflow.subgraphs?.[name];
  if (!placed || !subgraph) return null;
  const taken = new Set(Object.keys(workflow.nodes));
  taken.delete(id);
  const ids = new Map<string, string>();
  for (const inner of Object.keys(subgraph.nodes)) {
    const fresh = taken.has(inner) ? freshId(inner, taken) : inner;
    taken.add(fresh);
    ids.set(inner, fresh);
  }
  const real = sourceOf(placed, subgraph, id, ids);
  const nodes: Record<string, PlacedNode> = {};
  const rewired = (node: PlacedNode, from: "inside" | "outside"): PlacedNode => {
    const wires = Object.entries(node.inputs).flatMap(([socket, wire]) => {
      const source = real(wire, from);
      return source ? [[socket, { ...wire, ...source }] as const] : [];
    });
    return { ...node, inputs: Object.fromEntries(wires) };
  };
  for (const [other, node] of Object.entries(workflow.nodes)) {
    if (other !== id) {
      nodes[other] = Object.values(node.inputs).some((wire) => wire.node === id)
        ? rewired(node, "outside")
        : node;
      continue;
    }
    for (const [inner, fresh] of ids)
      nodes[fresh] = rewired(
        withShown(subgraph.nodes[inner] as PlacedNode, inner, placed, subgraph),
        "inside",
      );
  }
  const own = Object.fromEntries(
    Object.entries(subgraph.layout?.nodes ?? {}).filter(([k]) => ids.has(k)),
  );
  const box = boxOf(own);
  const at = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
  const shift = { x: at.x - (box.left + box.right) / 2, y: at.y - (box.top + box.bottom) / 2 };
  const snap = (value: number) => Math.round(value / 8) * 8;
  const places = Object.fromEntries(
    Object.entries(workflow.layout.nodes).filter(([other]) => other !== id),
  );
  for (const [inner, place] of Object.entries(own))
    places[ids.get(inner) as string] = {
      ...place,
      x: snap(place.x + shift.x),
      y: snap(place.y + shift.y),
    };
  const level = levelOf(workflow, [id]);
  const inner = Object.entries(level.nodes).map(([name, node]) => [
    name,
    isInterface(name) ? node : withShown(node, name, placed, subgraph),
  ]);
  const inside = { ...level, nodes: Object.fromEntries(inner) as Workflow["nodes"] };
  const routes = joined(workflow, id, inside, ids, { x: snap(shift.x), y: snap(shift.y) }, nodes);
  const layout = { ...withoutRoutes(workflow.layout), ...routes, nodes: places };
  return { workflow: { ...workflow, nodes, layout }, ids: [...ids.values()], names: ids };
}

/** Where a wire comes from once the node is no more; null where nothing fed it. */
function sourceOf(placed: PlacedNode, subgraph: Subgraph, id: string, ids: Map<string, string>) {
  return (wire: Wire, from: "inside" | "outside"): Pick<Wire, "node" | "output"> | null => {
    let { node, output } = wire;
    let inside = from === "inside";
    for (let steps = 0; steps < 100; steps++) {
      if (inside && node === INPUTS) {
        const outer = placed.inputs[output];
        if (!outer) return null;
        ({ node, output } = outer);
        inside = false;
      } else if (inside) {
        return { node: ids.get(node) ?? node, output };
      } else if (node === id) {
        const shown = subgraph.outputs[output];
        if (!shown?.node) return null;
        ({ node, output } = shown);
        inside = true;
      } else {
        return { node, output };
      }
    }
    return null; // it hands on its own output, in a ring
  };
}

/** An inner node with what the placed one sets of its widgets. */
function withShown(
  node: PlacedNode,
  inner: string,
  placed: PlacedNode,
  subgraph: Subgraph,
): PlacedNode {
  const shown = Object.entries(subgraph.widgets).filter(([, widget]) => widget.node === inner);
  const values = { ...node.values };
  const inputs = { ...node.inputs };
  for (const [entry, { name }] of shown) {
    const value = placed.values[entry];
    if (value !== undefined) values[name] = value;
    if (placed.inputs[entry]) inputs[name] ??= { node: INPUTS, output: entry };
  }
  return { ...node, values, inputs };
}
