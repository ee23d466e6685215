/** A node taken out of its wires, or exchanged for another. */

import type { Json, NodeDefinition, PlacedNode, Wire, Workflow } from "../api/types";
import { freshId, placed, socketBase, wiresOf } from "./model";

/** A wire that a removed node leaves behind: its input, and the outputs that fed what is gone, best first. */
export interface Loose {
  node: string;
  socket: string;
  sources: Wire[];
}

/** The outputs that a removed node was fed by, through other removed ones, in the order of its inputs. */
function sourcesOf(workflow: Workflow, id: string, gone: ReadonlySet<string>): Wire[] {
  const found: Wire[] = [];
  const seen = new Set<string>();
  const open = [id];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    if (seen.has(at)) continue;
    seen.add(at);
    for (const wire of Object.values(workflow.nodes[at]?.inputs ?? {})) {
      if (gone.has(wire.node)) open.push(wire.node);
      else found.push({ node: wire.node, output: wire.output });
    }
  }
  return found;
}

/** Every wire from a removed node to one that stays. */
export function looseEnds(workflow: Workflow, gone: ReadonlySet<string>): Loose[] {
  return [...wiresOf(workflow)].flatMap(({ node, socket, wire }) =>
    gone.has(wire.node) && !gone.has(node)
      ? [{ node, socket, sources: sourcesOf(workflow, wire.node, gone) }]
      : [],
  );
}

interface Socket {
  name: string;
  kind: string;
  variadic?: boolean;
}

const inputsOf = (definition: NodeDefinition): Socket[] => [
  ...definition.inputs.map(({ name, term, variadic }) => ({ name, kind: term.kind, variadic })),
  ...definition.widgets.flatMap(({ name, wire }) => (wire ? [{ name, kind: wire }] : [])),
];

const outputsOf = (definition: NodeDefinition): Socket[] =>
  definition.outputs.map(({ name, term }) => ({ name, kind: term.kind }));

/** For each used socket the one that takes its place: of the same name and kind, else the first of the kind. */
function pairs(used: readonly string[], before: Socket[], after: Socket[]): Map<string, string> {
  const kindOf = (name: string) =>
    before.find((socket) => socket.name === name || socket.name === socketBase(name))?.kind;
  const found = new Map<string, string>();
  const free = new Set(after);
  const take = (name: string, socket: Socket | undefined) => {
    if (!socket) return;
    if (!socket.variadic) free.delete(socket);
    const count = [...found.values()].filter((at) => socketBase(at) === socket.name).length;
    found.set(name, socket.variadic ? `${socket.name}.${count}` : socket.name);
  };
  for (const name of used) {
    const kind = kindOf(name);
    take(
      name,
      [...free].find((to) => to.name === socketBase(name) && to.kind === kind),
    );
  }
  for (const name of used.filter((one) => !found.has(one))) {
    const kind = kindOf(name);
    take(
      name,
      [...free].find((to) => to.kind === kind),
    );
  }
  return found;
}

interface Exchange {
  inputs: Map<string, string>;
  outputs: Map<string, string>;
}

function exchangeOf(
  workflow: Workflow,
  id: string,
  before: NodeDefinition,
  after: NodeDefinition,
): Exchange {
  const used = new Set<string>();
  for (const { wire } of wiresOf(workflow)) if (wire.node === id) used.add(wire.output);
  const inputs = Object.keys(workflow.nodes[id]?.inputs ?? {});
  // An output may feed many wires, so that two of a kind may both become the same one.
  const outputs = new Map<string, string>();
  for (const name of used) {
    const found = pairs([name], outputsOf(before), outputsOf(after)).get(name);
    if (found) outputs.set(name, found);
  }
  return { inputs: pairs(inputs, inputsOf(before), inputsOf(after)), outputs };
}

/** How many of a node's wires would stay if it were a node of another type. */
export function wiresKept(
  workflow: Workflow,
  id: string,
  before: NodeDefinition,
  after: NodeDefinition,
): number {
  const { inputs, outputs } = exchangeOf(workflow, id, before, after);
  return inputs.size + outputs.size;
}

/** The node as one of another type, with the wires and values that both have. Its place and title stay. */
export function replaced(
  workflow: Workflow,
  id: string,
  before: NodeDefinition,
  after: NodeDefinition,
): { workflow: Workflow; id: string } {
  const old = workflow.nodes[id] as PlacedNode;
  const { inputs, outputs } = exchangeOf(workflow, id, before, after);
  const fresh = freshId(after.type, { has: (name) => name !== id && name in workflow.nodes });
  const values: Record<string, Json> = { ...placed(after).values };
  for (const { name, schema, folder } of after.widgets) {
    const same = before.widgets.find((widget) => widget.name === name);
    const fits = same?.schema.type === schema.type && same?.folder === folder;
    if (fits && old.values[name] !== undefined) values[name] = old.values[name];
  }
  const node: PlacedNode = {
    ...placed(after),
    title: old.title,
    mode: old.mode,
    values,
    inputs: Object.fromEntries(
      Object.entries(old.inputs).flatMap(([socket, wire]) => {
        const to = inputs.get(socket);
        return to ? [[to, wire] as const] : [];
      }),
    ),
  };
  const nodes: Record<string, PlacedNode> = {};
  for (const [name, other] of Object.entries(workflow.nodes)) {
    if (name === id) nodes[fresh] = node;
    else nodes[name] = withWiresOf(other, id, fresh, outputs);
  }
  const { [id]: place = { x: 0, y: 0 }, ...places } = workflow.layout.nodes;
  const { fixed: _seeds, ...kept } = place;
  const layout = { ...workflow.layout, nodes: { ...places, [fresh]: kept } };
  return { workflow: { ...workflow, nodes, layout }, id: fresh };
}

/** A reader of a replaced node, at its new outputs. */
function withWiresOf(
  reader: PlacedNode,
  id: string,
  fresh: string,
  outputs: ReadonlyMap<string, string>,
): PlacedNode {
  if (!Object.values(reader.inputs).some((wire) => wire.node === id)) return reader;
  const inputs = Object.entries(reader.inputs).flatMap(([socket, wire]) => {
    if (wire.node !== id) return [[socket, wire] as const];
    const output = outputs.get(wire.output);
    return output ? [[socket, { node: fresh, output }] as const] : [];
  });
  return { ...reader, inputs: Object.fromEntries(inputs) };
}
