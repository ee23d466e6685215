/** The widgets of a workflow whose values can be others in another run of it. */

import type { Place } from "../api/queue";
import type { Json, WidgetDefinition, Workflow } from "../api/types";
import { type Definitions, socketBase, titleOf } from "./model";

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

/** Every widget of the workflow whose value is its own, not a wire's. */
export function varyingWidgets(workflow: Workflow, definitions: Definitions): Varying[] {
  return Object.entries(workflow.nodes).flatMap(([id, placed]) => {
    const definition = definitions[placed.type];
    if (!definition || placed.mode !== "run") return [];
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
  });
}

export function varyingAt(all: readonly Varying[], place: Place): Varying | undefined {
  return all.find((varying) => keyOf(varying.place) === keyOf(place));
}
