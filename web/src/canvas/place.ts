/** Put new nodes on the canvas, wired where a wire was waiting. */

import type { NodeDefinition, Workflow } from "../api/types";
import { activeWorkflow, edit } from "../store/documents";
import { definitions, useCatalogue } from "../store/catalogue";
import { insertKept, LIBRARY } from "../store/library";
import { notify, type DragOrigin } from "../store/ui";
import { sizeOf, useView } from "../store/view";
import { addNode, connect, type Point } from "../workflow/edits";
import { freshId, placed } from "../workflow/model";
import { setRoute } from "../workflow/reroutes";
import { type Box, freePlace } from "../workflow/room";
import { subgraphOf } from "../workflow/subgraphs";
import { drawSeed, seedWidgets } from "../workflow/seeds";
import { type WidgetKind, widgetKind } from "../widgets/kinds";
import { NODE_WIDTH } from "./flow";
import { reveal } from "./instance";
import { t } from "../i18n/t";

const snap = (value: number) => Math.round(value / 8) * 8;

/** Where a new node lies: its socket where a wire was dropped, else about `at`, covering nothing. */
function placeOf(at: Point, from: DragOrigin | null, height: number): Point {
  if (!from) {
    const boxes: Box[] = Object.entries(activeWorkflow().layout.nodes).map(([id, { x, y }]) => ({
      x,
      y,
      ...sizeOf(id),
    }));
    const size = { width: NODE_WIDTH, height };
    return freePlace(boxes, { x: snap(at.x - NODE_WIDTH / 2), y: snap(at.y - 16) }, size);
  }
  const x = from.side === "out" ? at.x : at.x - NODE_WIDTH;
  return { x: snap(x), y: snap(at.y - 48) };
}

/** The name under which a first wire enters `socket` of a node of this type. */
export function firstOf(type: string, socket: string): string {
  const variadic = definitions()[type]?.inputs.find((input) => input.name === socket)?.variadic;
  return variadic ? `${socket}.0` : socket;
}

/** A file to begin with: the first of the folder that can be used. */
function firstFile(folder: string): string | undefined {
  return useCatalogue.getState().models[folder]?.find((file) => !file.trouble)?.name;
}

const ASKING = 72; // pixels in which a new node asks for a wire that it must have

/** About how tall a node is before it is drawn, in pixels, with what it will ask for. */
function heightOf({ inputs, outputs, widgets }: NodeDefinition): number {
  const rows = Math.max(inputs.length, outputs.length);
  const tall: Partial<Record<WidgetKind, number>> = { multiline: 80, image_file: 288 };
  const body = widgets.reduce((sum, widget) => sum + (tall[widgetKind(widget)] ?? 32), 0);
  const asks = inputs.filter(({ optional }) => !optional).length;
  return 48 + 24 * rows + (body && body + 12) + ASKING * asks;
}

/** Add a node of `type` at `at`, as one step with the wire from `from` to its `socket`, and what is `further` done. */
export function addNodeOf(
  type: string,
  at: Point,
  from: DragOrigin | null = null,
  socket = "",
  further: (workflow: Workflow, id: string) => Workflow = (workflow) => workflow,
): string | null {
  if (type.startsWith(LIBRARY)) return insertKept(type, at);
  const definition = definitions()[type];
  if (!definition) {
    notify("error", t('There is no node type "{type}" here.', { type }));
    return null;
  }
  const id = freshId(type, new Set(Object.keys(activeWorkflow().nodes)));
  const node = placed(definition);
  if (subgraphOf(type) !== null) node.values = {}; // what is inside holds them
  for (const name of seedWidgets(definition)) node.values[name] = drawSeed();
  for (const { name, folder, required } of definition.widgets) {
    const first = folder && (required || node.values[name] === undefined) && firstFile(folder);
    if (first) node.values[name] = first;
  }
  const height = heightOf(definition);
  const place = placeOf(at, from, height);
  edit((workflow) => {
    const added = addNode(workflow, id, node, place);
    if (!from) return further(added, id);
    if (from.side === "in")
      return connect(added, from.node, from.socket, { node: id, output: socket });
    const input = firstOf(type, socket);
    const wired = connect(added, id, input, { node: from.node, output: from.socket });
    return setRoute(wired, id, input, from.via ?? null);
  });
  useView.getState().select([id]);
  reveal({ ...place, width: NODE_WIDTH, height });
  return id;
}
