/** What the overview paints: every node and wire with its colours, looked up once and kept. */

import type { InternalNode } from "@xyflow/react";
import type { NodeDefinition, NodeTypes, PlacedNode, Workflow } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { activeDocument, activePrefix, useDocuments } from "../store/documents";
import { nodeRunOf } from "../store/inside";
import { shownRun, useRuns } from "../store/runs";
import { paintOf, wireColour } from "../theme/spaces";
import { titleOf } from "../workflow/model";
import { kindOf } from "../workflow/sockets";
import type { FlowNode } from "./flow";

export type Lookup = ReadonlyMap<string, InternalNode<FlowNode>>;

interface Dot {
  x: number;
  y: number;
  /** null is neutral grey. */
  colour: string | null;
}

export interface Figure {
  title: string;
  /** What the node gives, null is neutral grey. */
  colour: string | null;
  dots: Dot[];
  inputs: ReadonlyMap<string, Dot>;
  outputs: ReadonlyMap<string, Dot>;
}

interface Kept {
  node: PlacedNode;
  definition: NodeDefinition | undefined;
  types: NodeTypes | undefined;
  bounds: unknown;
  figure: Figure;
}

const kept = new Map<string, Kept>();

/** How a node is painted; made anew only when something of it changed. */
export function figureOf(id: string, placed: PlacedNode, internal: InternalNode<FlowNode>): Figure {
  const { definitions, spaces } = useCatalogue.getState();
  const definition = definitions[placed.type];
  const types = useChecks.getState().types[id];
  const bounds = internal.internals.handleBounds;
  const old = kept.get(id);
  if (
    old?.node === placed &&
    old.definition === definition &&
    old.types === types &&
    old.bounds === bounds
  )
    return old.figure;
  const widgets = new Set(definition?.widgets.map(({ name }) => name));
  const dotsOf = (side: "in" | "out") => {
    const handles = (side === "in" ? bounds?.target : bounds?.source) ?? [];
    const checked = types?.[side === "in" ? "inputs" : "outputs"];
    return new Map(
      handles.map((handle): [string, Dot] => {
        const name = handle.id ?? "";
        const type = checked?.[name] ?? { kind: kindOf(definition, name, side), spaces: [] };
        const colour = wireColour(paintOf(type, spaces))?.colour ?? null;
        const at = { x: handle.x + handle.width / 2, y: handle.y + handle.height / 2 };
        return [name, { ...at, colour }];
      }),
    );
  };
  const inputs = dotsOf("in");
  const outputs = dotsOf("out");
  const seen = (name: string) => name in placed.inputs || !widgets.has(name); // as in nodes/Socket.tsx
  const first = [...outputs.values(), ...inputs.values()].find((dot) => dot.colour);
  const figure: Figure = {
    title: titleOf(placed, definition),
    colour: first?.colour ?? null,
    dots: [...[...inputs].flatMap(([name, dot]) => (seen(name) ? dot : [])), ...outputs.values()],
    inputs,
    outputs,
  };
  if (kept.size > 20_000) kept.clear();
  kept.set(id, { node: placed, definition, types, bounds, figure });
  return figure;
}

export type Mark = "error" | "warning" | "running" | null;

/** What a node's border says, looked up for the moment of painting. */
export function marksNow(): (id: string) => Mark {
  const { byNode, runnable } = useChecks.getState();
  const { runs } = useDocuments.getState().documents.length
    ? activeDocument(useDocuments.getState())
    : { runs: [] };
  const run = shownRun(useRuns.getState().runs, runs);
  const prefix = activePrefix();
  return (id) => {
    const state = run?.nodes[prefix + id]?.state ?? nodeRunOf(run, prefix + id)?.state;
    if (state === "running") return "running";
    if (state === "failed") return "error";
    const problems = byNode[id];
    if (!problems?.length) return null;
    return !runnable && problems.some((p) => p.severity === "error") ? "error" : "warning";
  };
}

export interface Rect {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The part of the canvas that is in sight. */
export function inSight(
  [x, y, zoom]: readonly [number, number, number],
  width: number,
  height: number,
): Rect {
  return {
    left: -x / zoom,
    top: -y / zoom,
    right: (width - x) / zoom,
    bottom: (height - y) / zoom,
  };
}

export function boxOf(internal: InternalNode<FlowNode>): Rect {
  const { x, y } = internal.internals.positionAbsolute;
  const { width = 0, height = 0 } = internal.measured;
  return { left: x, top: y, right: x + width, bottom: y + height };
}

export const overlap = (a: Rect, b: Rect): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** The uppermost node at a point of the canvas. */
export function nodeAt(workflow: Workflow, lookup: Lookup, x: number, y: number): string | null {
  let found: string | null = null;
  for (const id of Object.keys(workflow.nodes)) {
    const internal = lookup.get(id);
    if (internal && overlap(boxOf(internal), { left: x, right: x + 1, top: y, bottom: y + 1 }))
      found = id;
  }
  return found;
}
