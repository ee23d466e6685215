/** About how large a node is, and where its sockets lie, before it was ever drawn. */

import { type NodeHandle, Position } from "@xyflow/react";
import type { NodeDefinition, PlacedNode, Workflow } from "../api/types";
import type { Size } from "../workflow/arrange";
import { type NodeRows, rowsOf, rowsOfUnknown } from "../workflow/sockets";

const TITLE = 32; // pixels, as in theme/node.css
const ROW = 24;
const WIDGET = 32;
const PADDING = 8;
/** No drawn node has such a height, so that a drawn one is always told from a reckoned one. */
const FRACTION = 0.25;

export interface Estimate {
  size: Size;
  handles: NodeHandle[];
}

/** About how tall a node with these rows is, in pixels. */
export function estimatedHeight({ inputs, outputs, widgets }: NodeRows): number {
  return (
    TITLE +
    2 * PADDING +
    ROW * Math.max(inputs.length, outputs.length) +
    (widgets.length ? 12 + WIDGET * widgets.length : 0)
  );
}

function handlesOf(rows: NodeRows, width: number): NodeHandle[] {
  const middle = (index: number) => TITLE + PADDING + ROW * (index + 0.5);
  const handle = (id: string, y: number, out: boolean): NodeHandle => ({
    id,
    type: out ? "source" : "target",
    position: out ? Position.Right : Position.Left,
    x: (out ? width : 0) - 8,
    y: y - 8,
    width: 16,
    height: 16,
  });
  const sockets = Math.max(rows.inputs.length, rows.outputs.length);
  return [
    ...rows.inputs.map(({ name }, index) => handle(name, middle(index), false)),
    ...rows.outputs.map(({ name }, index) => handle(name, middle(index), true)),
    ...rows.widgets.flatMap(({ widget }, index) => {
      const y = TITLE + 2 * PADDING + ROW * sockets + WIDGET * (index + 0.5);
      return widget.wire ? [handle(widget.name, y, false)] : [];
    }),
  ];
}

interface Known {
  definition: NodeDefinition | undefined;
  width: number;
  estimate: Estimate;
}

const known = new WeakMap<PlacedNode, Known>();

/** The estimate of a node of this width; the same object for as long as it stays the same. */
export function estimateOf(
  workflow: Workflow,
  id: string,
  definition: NodeDefinition | undefined,
  width: number,
): Estimate {
  const node = workflow.nodes[id] as PlacedNode;
  const before = known.get(node);
  if (before && before.definition === definition && before.width === width) return before.estimate;
  const rows = definition ? rowsOf(definition, node) : rowsOfUnknown(workflow, id);
  const size = { width, height: estimatedHeight(rows) + FRACTION };
  const estimate = { size, handles: handlesOf(rows, width) };
  known.set(node, { definition, width, estimate });
  return estimate;
}
