/** The canvas as others reach it: where a point lies, what is seen, and how to move the view. */

import type { FitViewOptions, ReactFlowInstance, Viewport } from "@xyflow/react";
import { useUi } from "../store/ui";
import type { Point } from "../workflow/edits";
import type { FlowEdge, FlowNode } from "./flow";

let instance: ReactFlowInstance<FlowNode, FlowEdge> | null = null;
const viewports = new Map<string, Viewport>();

const BAR = 64; // pixels that a bar or a rail and the air around it take
const PANEL = 240; // pixels that an open panel adds

/** How everything is fitted beside the panels that float over the canvas. */
export function fitting(): FitViewOptions<FlowNode> {
  const { left, right } = useUi.getState();
  const wide = window.innerWidth > 900; // on a small window the panels may cover something
  const side = (open: unknown) => `${BAR + (open && wide ? PANEL : 0)}px` as const;
  const padding = { top: `${BAR}px`, bottom: `${BAR}px`, left: side(left), right: side(right) } as const;
  return { padding, maxZoom: 1 };
}

export function rememberInstance(flow: ReactFlowInstance<FlowNode, FlowEdge>): void {
  instance = flow;
}

export function rememberViewport(document: string, viewport: Viewport): void {
  viewports.set(document, viewport);
}

export function viewportOf(document: string): Viewport | undefined {
  return viewports.get(document);
}

export function toCanvas(screen: Point): Point {
  return instance?.screenToFlowPosition(screen) ?? screen;
}

/** The middle of what is seen, for nodes that are added without a place. */
export function middle(): Point {
  return toCanvas({ x: window.innerWidth / 2, y: window.innerHeight / 2 - 80 });
}

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const duration = () => (calm() ? 0 : 140);

export function fitAll(): void {
  void instance?.fitView({ ...fitting(), duration: duration() });
}

/** Show these nodes, no larger than they are. */
export function show(ids: Iterable<string>): void {
  const nodes = [...ids].map((id) => ({ id }));
  if (nodes.length) void instance?.fitView({ ...fitting(), nodes, duration: duration() });
}

export function zoomBy(factor: number): void {
  if (!instance) return;
  void instance.zoomTo(instance.getZoom() * factor, { duration: duration() });
}

export function zoomTo(zoom: number): void {
  void instance?.zoomTo(zoom, { duration: duration() });
}
