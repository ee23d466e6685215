/** The canvas as others reach it: where a point lies, what is seen, and how to move the view. */

import {
  type FitViewOptions,
  getViewportForBounds,
  type ReactFlowInstance,
  type Viewport,
} from "@xyflow/react";
import type { Layout } from "../api/types";
import { useUi } from "../store/ui";
import type { Point } from "../workflow/edits";
import type { Box } from "../workflow/room";
import { viewports } from "../store/view";
import { type FlowEdge, type FlowNode, NODE_WIDTH } from "./flow";

let instance: ReactFlowInstance<FlowNode, FlowEdge> | null = null;
/** The smallest zoom. */
export const FURTHEST = 0.05;

const BAR = 64; // pixels that a bar or a rail and the air around it take
const PANEL = 256; // pixels that an open panel adds

/** Whether panels leave room for a workflow beside them; on a small window they may cover something. */
const isWide = () => window.innerWidth > 900;

/** Whether the window is a phone's, where rails are above what is shown instead of beside it. */
const isNarrow = () => window.innerWidth <= 600;
const RAILS = 232; // pixels that the top bar and the rails below it take there
const AIR = 16;
const READABLE = 0.5; // the zoom from which on a node's values can be used

/** How everything is fitted beside the panels that float over the canvas. */
export function fitting(): FitViewOptions<FlowNode> {
  if (isNarrow()) {
    const padding = { top: `${RAILS}px`, bottom: `${BAR}px`, x: `${AIR}px` } as const;
    return { padding, maxZoom: 1, includeHiddenNodes: true };
  }
  const { left, right } = useUi.getState();
  const side = (open: unknown) => `${BAR + (open && isWide() ? PANEL : 0)}px` as const;
  const padding = {
    top: `${BAR}px`,
    bottom: `${BAR}px`,
    left: side(left),
    right: side(right),
  } as const;
  return { padding, maxZoom: 1, includeHiddenNodes: true };
}

/** How the view begins: with everything, on a phone with as much from the left as can be read. */
export function beginning({ nodes }: Layout): FitViewOptions<FlowNode> {
  if (!isNarrow()) return fitting();
  const left = Math.min(...Object.values(nodes).map(({ x }) => x));
  const end = left + (window.innerWidth - 2 * AIR) / READABLE;
  const first = Object.entries(nodes).filter(([, { x }]) => x + NODE_WIDTH <= end);
  return { ...fitting(), nodes: first.map(([id]) => ({ id })) };
}

export function rememberInstance(flow: ReactFlowInstance<FlowNode, FlowEdge>): void {
  instance = flow;
}

export const MANY = 150; // nodes from which on the first view is reckoned, not measured
export const USUAL_HEIGHT = 240;

/**
 * Where the view begins: where it was, or (undefined) on everything, once that is measured. Many nodes are
 * not drawn in full only to be measured: their places say well enough what to show.
 */
export function firstViewport(id: string, layout: Layout): Viewport | undefined {
  const known = viewports.get(id);
  const places = Object.values(layout.nodes);
  if (known || places.length < MANY) return known;
  const xs = places.map((place) => place.x);
  const ys = places.map((place) => place.y);
  const left = xs.reduce((least, x) => Math.min(least, x));
  const top = ys.reduce((least, y) => Math.min(least, y));
  const width = xs.reduce((most, x) => Math.max(most, x)) + NODE_WIDTH - left;
  const height = ys.reduce((most, y) => Math.max(most, y)) + USUAL_HEIGHT - top;
  const bounds = { x: left, y: top, width, height };
  return getViewportForBounds(bounds, innerWidth, innerHeight, FURTHEST, 1, fitting().padding ?? 0);
}

export function toCanvas(screen: Point): Point {
  return instance?.screenToFlowPosition(screen) ?? screen;
}

export function toScreen(at: Point): Point {
  return instance?.flowToScreenPosition(at) ?? at;
}

/** What is seen, in pixels of the canvas, and how large. */
export function viewOf(): Box & { zoom: number } {
  const { x, y, zoom } = instance?.getViewport() ?? { x: 0, y: 0, zoom: 1 };
  return { x: -x / zoom, y: -y / zoom, width: innerWidth / zoom, height: innerHeight / zoom, zoom };
}

/** The middle of what is seen, for nodes that are added without a place. */
export function middle(): Point {
  return toCanvas({ x: window.innerWidth / 2, y: window.innerHeight / 2 - 80 });
}

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const duration = () => (calm() ? 0 : 140);

/** Fits the view to everything; settles when it has arrived there. */
export async function fitAll(): Promise<void> {
  await instance?.fitView({ ...fitting(), duration: duration() });
}

/** The same for a view that begins. */
export async function fitBeginning(layout: Layout): Promise<void> {
  await instance?.fitView({ ...beginning(layout), duration: duration() });
}

/** Show these nodes, no larger than they are. */
export function show(ids: Iterable<string>): void {
  const nodes = [...ids].map((id) => ({ id }));
  if (nodes.length) void instance?.fitView({ ...fitting(), nodes, duration: duration() });
}

/** Move the view just so far that the box lies beside the bars and open panels. */
export function reveal(box: Box): void {
  if (!instance) return;
  const { left, right } = useUi.getState();
  const { x, y, zoom } = instance.getViewport();
  const side = (open: unknown) => BAR + (open && isWide() ? PANEL : 0);
  const shift = (start: number, size: number, least: number, most: number) =>
    start < least ? least - start : Math.min(0, Math.max(most - size - start, least - start));
  const across = shift(box.x * zoom + x, box.width * zoom, side(left), innerWidth - side(right));
  const down = shift(box.y * zoom + y, box.height * zoom, BAR, innerHeight - BAR);
  if (across || down)
    void instance.setViewport({ x: x + across, y: y + down, zoom }, { duration: duration() });
}

/** Bring the box into sight so that it can be read: near enough, and beside bars and panels. */
export function bring(box: Box): void {
  if (!instance) return;
  if (instance.getZoom() >= READABLE) return reveal(box);
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  void instance.setCenter(middle.x, middle.y, { zoom: 0.8, duration: duration() });
}

export function zoomBy(factor: number): void {
  if (!instance) return;
  void instance.zoomTo(instance.getZoom() * factor, { duration: duration() });
}

export function zoomTo(zoom: number): void {
  void instance?.zoomTo(zoom, { duration: duration() });
}
