/** Copied nodes as JSON text, and how they are put into a workflow under fresh ids. */

import type { Workflow } from "../api/types";
import { addNode, type Point } from "./edits";
import { emptyWorkflow, freshId, normalised } from "./model";

/** The chosen nodes as a workflow of their own; wires from elsewhere stay, to be kept where they still fit. */
export function cut(workflow: Workflow, ids: Iterable<string>): Workflow {
  const piece = emptyWorkflow();
  for (const id of ids) {
    const node = workflow.nodes[id];
    if (!node) continue;
    piece.nodes[id] = node;
    piece.layout.nodes[id] = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
  }
  return piece;
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
  ids: string[];
}

/**
 * `workflow` with the nodes of `piece`, moved by `offset`. Wires inside the piece follow the new ids; a wire
 * from outside is kept where its source exists, so that a duplicated sampler keeps its model.
 */
export function paste(workflow: Workflow, piece: Workflow, offset: Point): Pasted {
  const taken = new Set(Object.keys(workflow.nodes));
  const renamed = new Map<string, string>();
  for (const [id, node] of Object.entries(piece.nodes)) {
    const fresh = taken.has(id) ? freshId(node.type, taken) : id;
    taken.add(fresh);
    renamed.set(id, fresh);
  }
  let result = workflow;
  for (const [id, node] of Object.entries(piece.nodes)) {
    const inputs = Object.entries(node.inputs).flatMap(([socket, wire]) => {
      const source = renamed.get(wire.node) ?? (workflow.nodes[wire.node] ? wire.node : undefined);
      return source ? [[socket, { ...wire, node: source }] as const] : [];
    });
    const at = piece.layout.nodes[id] ?? { x: 0, y: 0 };
    const place = { ...at, x: at.x + offset.x, y: at.y + offset.y };
    result = addNode(
      result,
      renamed.get(id) ?? id,
      { ...node, inputs: Object.fromEntries(inputs) },
      place,
    );
  }
  return { workflow: result, ids: [...renamed.values()] };
}

/** The top left corner of what a piece covers. */
export function corner(piece: Workflow): Point {
  const places = Object.values(piece.layout.nodes);
  return {
    x: Math.min(...places.map((place) => place.x)),
    y: Math.min(...places.map((place) => place.y)),
  };
}
