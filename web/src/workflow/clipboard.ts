/** Copied nodes as JSON text, and how they are put into a workflow under fresh ids. */

import type { Frame, Workflow } from "../api/types";
import { addNode, type Point } from "./edits";
import { emptyWorkflow, freshId, normalised } from "./model";
import { pruned, setRoute } from "./reroutes";
import { carried, needed } from "./carrying";
import { isInterface } from "./subgraphs";
import { thing } from "./things";

/**
 * The chosen things as a workflow of their own. Wires from elsewhere stay, to be kept where they still fit;
 * dots go along where both ends of their wire do.
 */
export function cut(workflow: Workflow, names: Iterable<string>): Workflow {
  const piece = emptyWorkflow();
  const chosen = new Set(names);
  for (const id of chosen) {
    const node = workflow.nodes[id];
    if (!node || isInterface(id)) continue;
    piece.nodes[id] = node;
    piece.layout.nodes[id] = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
  }
  piece.groups = workflow.groups.filter(({ id }) => chosen.has(thing("group", id)));
  piece.notes = workflow.notes.filter(({ id }) => chosen.has(thing("note", id)));
  piece.layout.reroutes = workflow.layout.reroutes ?? {};
  piece.layout.wires = workflow.layout.wires ?? {};
  piece.subgraphs = needed(piece.nodes, workflow.subgraphs);
  return pruned(piece);
}

export function toText(piece: Workflow): string {
  return JSON.stringify(piece, null, 2);
}

/** The workflow in a text from the clipboard, or null where the text is none. */
export function fromText(text: string): Workflow | null {
  if (!text.trimStart().startsWith("{")) return null;
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw !== "object" || raw === null || !("nodes" in raw)) return null;
    const nodes = (raw as Workflow).nodes;
    const ours = Object.values(nodes).every((node) => typeof node?.type === "string");
    return ours && !Array.isArray(nodes) ? normalised(raw as Workflow) : null;
  } catch {
    return null; // any other text
  }
}

export interface Pasted {
  workflow: Workflow;
  /** The things that were added. */
  names: string[];
}

const moved = <T extends Point>(at: T, by: Point): T => ({ ...at, x: at.x + by.x, y: at.y + by.y });

/** A fresh name for each of `ids` that `taken` lacks. */
function renaming(ids: readonly string[], taken: Set<string>, stem: (id: string) => string) {
  const names = new Map<string, string>();
  for (const id of ids) {
    const fresh = taken.has(id) ? freshId(stem(id), taken) : id;
    taken.add(fresh);
    names.set(id, fresh);
  }
  return names;
}

/**
 * `into` with the things of `from` and the subgraphs they need, moved by `by`. Wires inside the piece follow
 * the new ids; a wire from outside is kept where `outside` is set and its source exists, so that a duplicated
 * sampler keeps its model.
 */
export function paste(into: Workflow, from: Workflow, by: Point, outside = true): Pasted {
  const { workflow, piece } = carried(into, from);
  if (Object.keys(piece.nodes).length + piece.groups.length + piece.notes.length === 0)
    return { workflow: into, names: [] };
  const taken = new Set(Object.keys(workflow.nodes));
  const types = (id: string) => piece.nodes[id]?.type ?? id;
  const renamed = renaming(Object.keys(piece.nodes), taken, types);
  let result = workflow;
  for (const [id, node] of Object.entries(piece.nodes)) {
    const inputs = Object.entries(node.inputs).flatMap(([socket, wire]) => {
      const there = outside && workflow.nodes[wire.node] ? wire.node : undefined;
      const source = renamed.get(wire.node) ?? there;
      return source ? [[socket, { ...wire, node: source }] as const] : [];
    });
    const place = moved(piece.layout.nodes[id] ?? { x: 0, y: 0 }, by);
    const placed = { ...node, inputs: Object.fromEntries(inputs) };
    result = addNode(result, renamed.get(id) ?? id, placed, place);
  }
  result = withRoutes(result, piece, renamed, by);
  const groups = withFrames(result.groups, piece.groups, "group", by);
  const notes = withFrames(result.notes, piece.notes, "note", by);
  result = { ...result, groups: groups.frames, notes: notes.frames };
  return { workflow: result, names: [...renamed.values(), ...groups.names, ...notes.names] };
}

function withFrames<T extends Frame>(
  frames: T[],
  added: T[],
  kind: "group" | "note",
  by: Point,
): { frames: T[]; names: string[] } {
  const taken = new Set(frames.map(({ id }) => id));
  const ids = renaming(
    added.map(({ id }) => id),
    taken,
    () => kind,
  );
  const fresh = added.map((frame) => ({ ...moved(frame, by), id: ids.get(frame.id) ?? frame.id }));
  return {
    frames: fresh.length ? [...frames, ...fresh] : frames,
    names: fresh.map(({ id }) => thing(kind, id)),
  };
}

/** The piece's dots and the wires through them, under fresh ids. */
function withRoutes(
  workflow: Workflow,
  piece: Workflow,
  nodes: ReadonlyMap<string, string>,
  by: Point,
): Workflow {
  const dots = Object.entries(piece.layout.reroutes ?? {});
  if (dots.length === 0) return workflow;
  const there = workflow.layout.reroutes ?? {};
  const ids = renaming(
    dots.map(([id]) => id),
    new Set(Object.keys(there)),
    () => "dot",
  );
  const fresh = dots.map(([id, dot]) => {
    const after = dot.after ? ids.get(dot.after) : null;
    return [ids.get(id) ?? id, { ...moved(dot, by), after }] as const;
  });
  const reroutes = { ...there, ...Object.fromEntries(fresh) };
  let result: Workflow = { ...workflow, layout: { ...workflow.layout, reroutes } };
  for (const [node, sockets] of Object.entries(piece.layout.wires ?? {})) {
    for (const [socket, { via }] of Object.entries(sockets))
      result = setRoute(result, nodes.get(node) ?? node, socket, ids.get(via) ?? null);
  }
  return result;
}

/** The top left corner of what a piece covers. */
export function corner(piece: Workflow): Point {
  const places: Point[] = [...Object.values(piece.layout.nodes), ...piece.groups, ...piece.notes];
  return {
    x: Math.min(...places.map((place) => place.x)),
    y: Math.min(...places.map((place) => place.y)),
  };
}
