/** Paint the workflow as a picture: what a thousand elements would show, for the price of one. */

import type { Workflow } from "../api/types";
import {
  boxOf,
  figureOf,
  type Figure,
  inSight,
  type Lookup,
  type Mark,
  marksNow,
  overlap,
} from "./scene";

const BLOCK = 0.2; // the zoom below which a node is a coloured block, as in nodes/useNode.ts
const TITLE = 32; // pixels of a node's title bar
const LONGEST_TITLE = 34; // characters
const RADIUS = 8;

const NAMES = [
  "node",
  "node-title",
  "line",
  "line-strong",
  "text",
  "wire",
  "accent",
  "error",
  "warning",
] as const;

export type Palette = Record<(typeof NAMES)[number] | "neutral", string>;

/** The theme's colours as the browser computes them. */
export function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement("span");
  element.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = Object.fromEntries(NAMES.map((name) => [name, read(name)]));
  const neutral = read("socket-neutral");
  probe.remove();
  return { ...palette, neutral } as Palette;
}

export interface Picture {
  workflow: Workflow;
  lookup: Lookup;
  transform: readonly [number, number, number];
  selected: ReadonlySet<string>;
  /** Nodes that are elements over the picture, and need not be painted. */
  shown: ReadonlySet<string>;
  palette: Palette;
}

/** Paints the picture; the answer is the number of nodes in it. `width` and `height` are of the window. */
export function paint(
  context: CanvasRenderingContext2D,
  picture: Picture,
  width: number,
  height: number,
  density: number,
): number {
  const [x, y, zoom] = picture.transform;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width * density, height * density);
  const scale = zoom * density;
  context.setTransform(scale, 0, 0, scale, x * density, y * density);
  paintWires(context, picture, width, height);
  return paintNodes(context, picture, width, height);
}

function paintWires(
  context: CanvasRenderingContext2D,
  { workflow, lookup, transform, palette }: Picture,
  width: number,
  height: number,
): void {
  const zoom = transform[2];
  const sight = inSight(transform, width, height);
  const paths = new Map<string, Path2D>();
  for (const [id, node] of Object.entries(workflow.nodes)) {
    const to = lookup.get(id);
    if (!to) continue;
    for (const [socket, wire] of Object.entries(node.inputs)) {
      const source = workflow.nodes[wire.node];
      const from = lookup.get(wire.node);
      if (!source || !from) continue;
      const begin = figureOf(wire.node, source, from).outputs.get(wire.output);
      const end = figureOf(id, node, to).inputs.get(socket);
      if (!begin || !end) continue;
      const x1 = from.internals.positionAbsolute.x + begin.x;
      const y1 = from.internals.positionAbsolute.y + begin.y;
      const x2 = to.internals.positionAbsolute.x + end.x;
      const y2 = to.internals.positionAbsolute.y + end.y;
      if (Math.max(x1, x2) < sight.left || Math.min(x1, x2) > sight.right) continue;
      if (Math.max(y1, y2) < sight.top || Math.min(y1, y2) > sight.bottom) continue;
      const colour = wire.allow ? palette.error : (begin.colour ?? palette.wire);
      let path = paths.get(colour);
      if (!path) paths.set(colour, (path = new Path2D()));
      path.moveTo(x1, y1);
      if (zoom < BLOCK) path.lineTo(x2, y2);
      else {
        const bend = Math.max(40, Math.abs(x2 - x1) / 2);
        path.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
      }
    }
  }
  context.lineWidth = Math.max(2, 0.75 / zoom);
  context.globalAlpha = zoom < BLOCK ? 0.6 : 1;
  for (const [colour, path] of paths) {
    context.strokeStyle = colour;
    context.stroke(path);
  }
  context.globalAlpha = 1;
}

function paintNodes(
  context: CanvasRenderingContext2D,
  picture: Picture,
  width: number,
  height: number,
): number {
  const { workflow, lookup, transform, selected, shown, palette } = picture;
  const sight = inSight(transform, width, height);
  const markOf = marksNow();
  context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  context.textBaseline = "middle";
  let count = 0;
  for (const [id, node] of Object.entries(workflow.nodes)) {
    const internal = lookup.get(id);
    if (!internal) continue;
    const { left, top, right, bottom } = boxOf(internal);
    if (!overlap({ left, top, right, bottom }, sight)) continue;
    count++;
    if (shown.has(id)) continue;
    const figure = figureOf(id, node, internal);
    const border = borderOf(markOf(id), selected.has(id), palette);
    context.globalAlpha = node.mode === "run" ? 1 : 0.5;
    const size = [left, top, right - left, bottom - top] as const;
    if (transform[2] < BLOCK) paintBlock(context, size, figure, border, palette, transform[2]);
    else paintCard(context, size, figure, border, palette);
  }
  context.globalAlpha = 1;
  return count;
}

function borderOf(mark: Mark, selected: boolean, palette: Palette): string | null {
  if (selected || mark === "running") return palette.accent;
  return mark ? palette[mark] : null;
}

type Box = readonly [number, number, number, number];

function paintBlock(
  context: CanvasRenderingContext2D,
  box: Box,
  { colour }: Figure,
  border: string | null,
  palette: Palette,
  zoom: number,
): void {
  context.fillStyle = palette.node;
  context.fillRect(...box);
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * 0.55; // as .node-block
  context.fillStyle = colour ?? palette["line-strong"];
  context.fillRect(...box);
  context.globalAlpha = alpha;
  if (!border) return;
  context.strokeStyle = border;
  context.lineWidth = 2 / zoom;
  context.strokeRect(...box);
}

function paintCard(
  context: CanvasRenderingContext2D,
  box: Box,
  { title, dots }: Figure,
  border: string | null,
  palette: Palette,
): void {
  const [x, y, width] = box;
  context.beginPath();
  context.roundRect(...box, RADIUS);
  context.fillStyle = palette.node;
  context.fill();
  context.beginPath();
  context.roundRect(x, y, width, TITLE, [RADIUS, RADIUS, 0, 0]);
  context.fillStyle = palette["node-title"];
  context.fill();
  context.beginPath();
  context.roundRect(...box, RADIUS);
  context.strokeStyle = border ?? palette.line;
  context.lineWidth = border ? 4 : 2;
  context.stroke();
  context.fillStyle = palette.text;
  context.fillText(title.slice(0, LONGEST_TITLE), x + 28, y + TITLE / 2, width - 40);
  for (const dot of dots) {
    context.fillStyle = dot.colour ?? palette.neutral;
    context.beginPath();
    context.arc(x + dot.x, y + dot.y, 6, 0, 2 * Math.PI);
    context.fill();
  }
}
