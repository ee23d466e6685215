/** A workflow as a simple form: which widgets people may set, and which nodes' results they see. */

import type { Json, NodeDefinition, PlacedNode, WidgetDefinition, Workflow } from "../api/types";
import { shownAs } from "./exposing";
import { type Definitions, titleOf } from "./model";
import { levelOf, locate, nodeAt, subgraphOf } from "./subgraphs";

export interface Pin {
  /** As the server names it: "up/k" is the node k inside of the node up. */
  node: string;
  widget: string;
  /** What the form calls it; the node's and the widget's names where it is empty. */
  label: string;
}

export interface AppForm {
  title: string;
  about: string;
  inputs: Pin[];
  /** Nodes. */
  outputs: string[];
}

const text = (value: Json | undefined) => (typeof value === "string" ? value : "");

const listed = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** The form that a workflow holds. What is not of its form is left out: the file may be anybody's. */
export function appOf(workflow: Pick<Workflow, "app">): AppForm {
  const saved = workflow.app ?? {};
  const inputs = listed(saved.inputs).flatMap((entry) => {
    const pin = entry as Record<string, Json> | null;
    if (!pin || typeof pin.node !== "string" || typeof pin.widget !== "string") return [];
    return [{ node: pin.node, widget: pin.widget, label: text(pin.label) }];
  });
  const outputs = listed(saved.outputs).filter((id): id is string => typeof id === "string");
  return { title: text(saved.title), about: text(saved.about), inputs, outputs };
}

export function withApp(workflow: Workflow, form: AppForm): Workflow {
  return { ...workflow, app: { ...workflow.app, ...form } as unknown as Record<string, Json> };
}

export const isEmpty = ({ inputs, outputs }: AppForm) => inputs.length + outputs.length === 0;

const samePin = (one: Omit<Pin, "label">, other: Omit<Pin, "label">) =>
  one.node === other.node && one.widget === other.widget;

export function isPinned(form: AppForm, node: string, widget: string): boolean {
  return form.inputs.some((pin) => samePin(pin, { node, widget }));
}

export function togglePin(form: AppForm, node: string, widget: string): AppForm {
  const inputs = isPinned(form, node, widget)
    ? form.inputs.filter((pin) => !samePin(pin, { node, widget }))
    : [...form.inputs, { node, widget, label: "" }];
  return { ...form, inputs };
}

export function toggleOutput(form: AppForm, node: string): AppForm {
  const outputs = form.outputs.includes(node)
    ? form.outputs.filter((other) => other !== node)
    : [...form.outputs, node];
  return { ...form, outputs };
}

export function movedPin(form: AppForm, at: number, by: number): AppForm {
  const inputs = [...form.inputs];
  const [pin] = inputs.splice(at, 1);
  if (pin) inputs.splice(Math.max(0, Math.min(inputs.length, at + by)), 0, pin);
  return { ...form, inputs };
}

export interface Shown extends Pin {
  definition: WidgetDefinition;
  title: string;
}

/** The pins whose widgets are there and that no wire sets, with what they are called. */
export function shownPins(form: AppForm, workflow: Workflow, types: Definitions): Shown[] {
  return form.inputs.flatMap((pin) => {
    const node = nodeAt(workflow, pin.node);
    const type = node && types[node.type];
    const definition = type?.widgets.find(({ name }) => name === pin.widget);
    if (!node || !definition || pin.widget in node.inputs) return [];
    const called = calledAt(workflow, pin.node, types);
    // "Prompt" says more than "Prompt: Text".
    const alone = form.inputs.filter((other) => other.node === pin.node).length === 1;
    const usual =
      alone && definition.control === "multiline" ? called : `${called}: ${definition.title}`;
    return [{ ...pin, definition, title: pin.label || usual }];
  });
}

/** The titles that lead to a node: "Upscale / KSampler". */
function calledAt(workflow: Workflow, name: string, types: Definitions): string {
  const at = locate(workflow, name);
  if (!at) return name;
  const titles = [...at.path, at.id].map((id, depth) => {
    const node = levelOf(workflow, at.path.slice(0, depth)).nodes[id];
    return node ? titleOf(node, types[node.type]) : id;
  });
  return titles.join(" / ");
}

/** A node with something to pin. */
export interface Pinnable {
  node: string;
  title: string;
  widgets: WidgetDefinition[];
  /** It makes something that can be shown. */
  gives: boolean;
}

/** Every node with something to pin, those inside after the node around; a widget is there once. */
export function pinnables(workflow: Workflow, types: Definitions): Pinnable[] {
  const found: Pinnable[] = [];
  const look = (nodes: Record<string, PlacedNode>, around: readonly string[], shows: string) => {
    for (const [id, node] of Object.entries(nodes)) {
      const definition = types[node.type];
      const subgraph = workflow.subgraphs?.[shows];
      const widgets = (definition?.widgets ?? []).filter(
        ({ name }) => !(name in node.inputs) && shownAs(subgraph, id, name) === null,
      );
      const path = [...around, id];
      const name = path.join("/");
      const gives = definition?.output ?? false;
      if (widgets.length || gives)
        found.push({ node: name, title: calledAt(workflow, name, types), widgets, gives });
      const inner = subgraphOf(node.type);
      const inside = inner === null ? undefined : workflow.subgraphs?.[inner];
      if (inner !== null && inside && around.length < DEEPEST) look(inside.nodes, path, inner);
    }
  };
  look(workflow.nodes, [], "");
  return found;
}

const DEEPEST = 20; // levels; a file that is damaged may nest without an end

/** A first form: prompts, pictures and seeds to set, and every node that shows something. */
export function suggested(workflow: Workflow, types: Definitions): AppForm {
  const form: AppForm = { title: "", about: "", inputs: [], outputs: [] };
  for (const [id, node] of Object.entries(workflow.nodes)) {
    const type = types[node.type];
    if (!type || node.mode !== "run") continue;
    for (const widget of type.widgets)
      if (isForPeople(type, widget) && !(widget.name in node.inputs))
        form.inputs.push({ node: id, widget: widget.name, label: "" });
    if (type.output) form.outputs.push(id);
  }
  return form;
}

function isForPeople(type: NodeDefinition, { control }: WidgetDefinition): boolean {
  if (control === "multiline") return type.inputs.some(({ term }) => term.kind === "Clip");
  return control === "seed" || control === "image_file";
}
