/** Which sockets and widgets a placed node shows. */

import type {
  InputDefinition,
  NodeDefinition,
  OutputDefinition,
  PlacedNode,
  Term,
  WidgetDefinition,
  Workflow,
} from "../api/types";
import { socketBase } from "./model";

export interface InputRow {
  name: string;
  title: string;
  description: string;
  term: Term;
  optional: boolean;
  wired: boolean;
}

export interface WidgetRow {
  widget: WidgetDefinition;
  wired: boolean;
}

export interface NodeRows {
  inputs: InputRow[];
  outputs: OutputDefinition[];
  widgets: WidgetRow[];
}

const UNKNOWN: Term = { kind: "Any", arguments: [] };

/** The rows of a node whose type is known. A variadic input shows its wires and one free socket. */
export function rowsOf(definition: NodeDefinition, node: PlacedNode): NodeRows {
  return {
    inputs: definition.inputs.flatMap((input) => inputRows(input, node)),
    outputs: definition.outputs,
    widgets: definition.widgets.map((widget) => ({ widget, wired: widget.name in node.inputs })),
  };
}

function inputRows(input: InputDefinition, node: PlacedNode): InputRow[] {
  const row = (name: string, title: string, optional: boolean): InputRow => ({
    name,
    title,
    description: input.description,
    term: input.term,
    optional,
    wired: name in node.inputs,
  });
  if (!input.variadic) return [row(input.name, input.title, input.optional)];
  const wired = Object.keys(node.inputs)
    .filter((name) => socketBase(name) === input.name && name !== input.name)
    .map((name) => Number(name.slice(input.name.length + 1)))
    .sort((a, b) => a - b);
  const free = wired.length ? Math.max(...wired) + 1 : 0;
  return [...wired, free].map((number) =>
    row(`${input.name}.${number}`, `${input.title} ${number + 1}`, number === free),
  );
}

/** The rows of a node whose type nobody knows: the sockets that its wires use. */
export function rowsOfUnknown(workflow: Workflow, id: string): NodeRows {
  const node = workflow.nodes[id];
  const outputs = new Set<string>();
  for (const other of Object.values(workflow.nodes)) {
    for (const wire of Object.values(other.inputs)) if (wire.node === id) outputs.add(wire.output);
  }
  return {
    inputs: Object.keys(node?.inputs ?? {}).map((name) => ({
      name,
      title: name,
      description: "",
      term: UNKNOWN,
      optional: false,
      wired: true,
    })),
    outputs: [...outputs].map((name) => ({
      name,
      title: name,
      description: "",
      term: UNKNOWN,
      list: false,
      part: null,
    })),
    widgets: [],
  };
}

/** A socket's name for people. */
export function socketTitle(
  definition: NodeDefinition | undefined,
  socket: string,
  side: "in" | "out",
): string {
  const sockets = side === "out" ? definition?.outputs : definition?.inputs;
  const base = socketBase(socket);
  const found =
    sockets?.find(({ name }) => name === socket) ??
    definition?.widgets.find(({ name }) => name === socket) ??
    sockets?.find(({ name }) => name === base);
  const number = base === socket ? "" : ` ${Number(socket.slice(base.length + 1)) + 1}`;
  return found ? found.title + number : socket;
}

/** The kind of a socket, where the checker has not answered: from the definition alone. */
export function kindOf(
  definition: NodeDefinition | undefined,
  socket: string,
  side: "in" | "out",
): string {
  if (!definition) return "Any";
  if (side === "out") return definition.outputs.find((o) => o.name === socket)?.term.kind ?? "Any";
  const base = socketBase(socket);
  const input = definition.inputs.find((i) => i.name === socket || i.name === base);
  if (input) return input.term.kind;
  return definition.widgets.find((w) => w.name === socket)?.wire ?? "Any";
}
