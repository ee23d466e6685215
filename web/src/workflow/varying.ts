/** The widgets of a workflow whose values can be others in another run of it. */

import type { Place } from "../api/queue";
import type { Json, NodeDefinition, PlacedNode, WidgetDefinition, Workflow } from "../api/types";
import { type Definitions, socketBase, titleOf } from "./model";
import { subgraphOf } from "./subgraphs";

/** A widget that can vary. */
export interface Varying {
  place: Place;
  /** Of its node. */
  node: string;
  title: string;
  widget: WidgetDefinition;
  value: Json;
}

const keyOf = ({ node, widget }: Place) => `${node} ${widget}`;

/** Every widget of the workflow whose value is its own, not a wire's; "up/k" is inside of "up". */
export function varyingWidgets(workflow: Workflow, definitions: Definitions): Varying[] {
  return Object.entries(workflow.nodes).flatMap(([id, placed]) => {
    if (placed.mode !== "run") return [];
    const definition = definitions[placed.type];
    const own = definition ? widgetsOf(id, placed, definition) : [];
    return [...own, ...insideOf(id, placed, workflow, definitions)];
  });
}

/** What varies inside of a node that stands for a subgraph, but for what that node itself sets. */
function insideOf(
  id: string,
  placed: PlacedNode,
  workflow: Workflow,
  definitions: Definitions,
): Varying[] {
  const name = subgraphOf(placed.type) ?? "";
  const { [name]: subgraph, ...subgraphs } = workflow.subgraphs ?? {}; // none lies in itself
  if (!subgraph) return [];
  const set = Object.entries(subgraph.widgets ?? {})
    .filter(([widget]) => widget in placed.values || widget in placed.inputs)
    .map(([, { node, name: widget }]) => keyOf({ node, widget }));
  const title = placed.title || subgraph.title;
  return varyingWidgets({ ...workflow, subgraphs, nodes: subgraph.nodes }, definitions)
    .filter(({ place }) => !set.includes(keyOf(place)))
    .map((inner) => placedIn(inner, id, title));
}

function widgetsOf(id: string, placed: PlacedNode, definition: NodeDefinition): Varying[] {
  const wired = new Set(Object.keys(placed.inputs).map(socketBase));
  return definition.widgets
    .filter((widget) => !wired.has(widget.name))
    .map((widget) => ({
      place: { node: id, widget: widget.name },
      node: titleOf(placed, definition),
      title: widget.title,
      widget,
      value: placed.values[widget.name] ?? widget.default,
    }));
}

/** The same widget as it is called outside of the node `id` that it lies in. */
function placedIn(inner: Varying, id: string, title: string): Varying {
  const place = { ...inner.place, node: `${id}/${inner.place.node}` };
  return { ...inner, place, node: `${title} / ${inner.node}` };
}

export function varyingAt(all: readonly Varying[], place: Place): Varying | undefined {
  return all.find((varying) => keyOf(varying.place) === keyOf(place));
}
