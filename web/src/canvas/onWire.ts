/** A node put on a wire, and a node taken out of its wires: asked of the server, and done in one step. */

import { plural } from "../i18n/t";
import { ApiError } from "../api/client";
import type { Target, TargetsAnswer, Wire, Workflow } from "../api/types";
import { activeWorkflow, type Change, edit } from "../store/documents";
import { targetsAtLevel } from "../store/targets";
import { notify } from "../store/ui";
import { useView } from "../store/view";
import { connect, disconnect, type Point } from "../workflow/edits";
import { looseEnds } from "../workflow/rewire";
import { removeThings } from "../workflow/things";
import { ofEdgeId } from "./flow";
import { addNodeOf, firstOf } from "./place";

export interface WireEnd {
  node: string;
  socket: string;
}

async function ask<T>(question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

interface Between {
  wire: Wire;
  /** Where the wire's output may go, and what its input may take, without the wire. */
  takers: TargetsAnswer;
  givers: TargetsAnswer;
}

/** Where an output's wire may go, once `first` was done. */
const takersOf = (node: string, socket: string, first: Change) =>
  ask(targetsAtLevel({ node, socket, side: "out" }, { output: socket }, first));

/** What an input may take, once `first` was done. */
const giversOf = (node: string, socket: string, first: Change) =>
  ask(targetsAtLevel({ node, socket, side: "in" }, { input: socket }, first));

async function between({ node, socket }: WireEnd): Promise<Between | null> {
  const wire = activeWorkflow().nodes[node]?.inputs[socket];
  if (!wire) return null;
  const without = (workflow: Workflow) => disconnect(workflow, node, socket);
  const [takers, givers] = await Promise.all([
    takersOf(wire.node, wire.output, without),
    giversOf(node, socket, without),
  ]);
  return takers && givers && { wire, takers, givers };
}

export interface OnWire {
  type: string;
  input: string;
  output: string;
}

/** The node types that may stand on the wire, best first. */
export async function typesOn(end: WireEnd): Promise<OnWire[]> {
  const found = await between(end);
  const givers = new Map(
    found?.givers.types.filter(({ ok }) => ok).map(({ type, socket }) => [type, socket]),
  );
  return (found?.takers.types ?? []).flatMap(({ type, socket, ok }) => {
    const output = givers.get(type);
    return ok && output ? [{ type, input: socket, output }] : [];
  });
}

/** The workflow with the wire led through a node. */
function through(workflow: Workflow, end: WireEnd, id: string, on: Omit<OnWire, "type">): Workflow {
  const wire = workflow.nodes[end.node]?.inputs[end.socket];
  if (!wire) return workflow;
  const first = connect(workflow, id, on.input, { node: wire.node, output: wire.output });
  return connect(first, end.node, end.socket, { node: id, output: on.output });
}

/** Add a node of the type on the wire, as one step. */
export function insertOn(end: WireEnd, on: OnWire, at: Point): string | null {
  const input = firstOf(on.type, on.input);
  return addNodeOf(on.type, at, null, "", (workflow, id) =>
    through(workflow, end, id, { input, output: on.output }),
  );
}

/** A node type dropped at a place: on the wire there if it fits, else beside everything. */
export async function dropType(type: string, screen: Point, at: Point): Promise<void> {
  const end = wireAt(screen);
  const on = end && (await typesOn(end)).find((one) => one.type === type);
  if (end && on) insertOn(end, on, at);
  else addNodeOf(type, at);
}

/** The input of the wire that lies at a point of the window. */
export function wireAt({ x, y }: Point): WireEnd | null {
  const edge = document
    .elementsFromPoint(x, y)
    .find((element) => element.classList.contains("react-flow__edge-interaction"))
    ?.closest(".react-flow__edge");
  const id = edge?.getAttribute("data-id");
  return id && !id.startsWith("@") ? ofEdgeId(id) : null;
}

/** A node without wires that was let go over a wire: the wire goes through it, if both its ends fit. */
export async function dropNodeOn(id: string, end: WireEnd, gesture: string): Promise<void> {
  const workflow = activeWorkflow();
  const alone =
    Object.keys(workflow.nodes[id]?.inputs ?? {}).length === 0 &&
    !Object.values(workflow.nodes).some(({ inputs }) =>
      Object.values(inputs).some((wire) => wire.node === id),
    );
  const found = alone && end.node !== id ? await between(end) : null;
  const fits = (target: Target) => target.node === id && target.ok;
  const input = found?.takers.targets.find(fits)?.socket;
  const output = found?.givers.targets.find(fits)?.socket;
  if (input && output) edit((now) => through(now, end, id, { input, output }), gesture);
}

/** Take the chosen nodes away and join their wires, wherever the server says that they fit. */
export async function deleteThrough(): Promise<void> {
  const { selected, select } = useView.getState();
  const gone = new Set([...selected].filter((id) => activeWorkflow().nodes[id]));
  if (gone.size === 0) return;
  const without = (workflow: Workflow) => removeThings(workflow, gone);
  const joined = await Promise.all(
    looseEnds(activeWorkflow(), gone).map(async ({ node, socket, sources }) => {
      const answer = await giversOf(node, socket, without);
      const source = sources.find(({ node: from, output }) =>
        answer?.targets.some((t) => t.ok && t.node === from && t.socket === output),
      );
      return { node, socket, source };
    }),
  );
  edit((workflow) =>
    joined.reduce(
      (now, { node, socket, source }) => (source ? connect(now, node, socket, source) : now),
      removeThings(workflow, gone),
    ),
  );
  select([]);
  const left = joined.filter(({ source }) => !source).length;
  if (left)
    notify(
      "info",
      plural(left, "One wire found nothing that fits.", "{count} wires found nothing that fits."),
    );
}
