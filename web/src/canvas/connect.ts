/** What becomes of a wire that was let go: connected, refused with a card, or a node is asked for. */

import { api, ApiError } from "../api/client";
import type { Problem, Target, Wire, Workflow } from "../api/types";
import { announce } from "../store/announce";
import { activeDocument, activeWorkflow, edit, pathOf, useDocuments } from "../store/documents";
import { atLevel } from "../workflow/answers";
import { lastAnswer } from "../store/drag";
import { say } from "../store/statements";
import { type DragOrigin, type Refusal, ui } from "../store/ui";
import { connect, disconnect, type Point } from "../workflow/edits";
import { socketBase } from "../workflow/model";
import { setRoute, sourceOf, wiresThrough } from "../workflow/reroutes";
import { changed } from "../workflow/subgraphs";
import { mend } from "./mend";
import { t } from "../i18n/t";

export interface Ends {
  /** The input. */
  node: string;
  socket: string;
  wire: Wire;
  /** The dot that the wire passes through, if it begins at one. */
  via: string | null;
}

/** The wire between where a drag began and the socket it was let go at. */
export function ends(from: DragOrigin, node: string, socket: string): Ends {
  return from.side === "out"
    ? { node, socket, wire: { node: from.node, output: from.socket }, via: from.via ?? null }
    : { node: from.node, socket: from.socket, wire: { node, output: socket }, via: null };
}

/** The workflow with the wire, straight or through its dot. */
function wired(workflow: Workflow, { node, socket, wire, via }: Ends): Workflow {
  return setRoute(connect(workflow, node, socket, wire), node, socket, via);
}

/** Let go at a dot: an input joins the dot's wires; an output takes all of them over. */
export async function dropOnDot(from: DragOrigin, dot: string, screen: Point): Promise<void> {
  const source = sourceOf(activeWorkflow(), dot);
  if (!source) return;
  if (from.side === "in") return drop(from, source.node, source.output, screen, null, dot);
  const through = wiresThrough(activeWorkflow(), dot);
  const wire = { node: from.node, output: from.socket };
  edit((workflow) =>
    through.reduce((done, { node, socket }) => connect(done, node, socket, wire), workflow),
  );
}

/** Connect if the checker allows it; else show why not, and the ways out. `old` is the input it came from. */
export async function drop(
  from: DragOrigin,
  node: string,
  socket: string,
  screen: Point,
  old: { node: string; socket: string } | null = null,
  via: string | null = null,
): Promise<void> {
  const answer = await lastAnswer();
  const target = answer?.targets.find((t) => t.node === node && t.socket === socket);
  const straight = ends(from, node, socket);
  const wanted = via ? { ...straight, via } : straight;
  // Without an answer the wire is made, and the check after the edit speaks up if it is wrong.
  if (answer && !target?.ok) {
    announce(
      t("Refused. {reason}", { reason: target?.reason ?? t("This socket cannot take that wire.") }),
    );
    return refuse(wanted, target, screen);
  }
  announce(t("Connected."));
  edit((workflow) => {
    const freed = old ? disconnect(workflow, old.node, old.socket) : workflow;
    return wired(freed, wanted);
  });
}

/** Let go over a node, not a socket: the first socket of it that fits. */
export async function dropOnNode(from: DragOrigin, node: string, screen: Point): Promise<void> {
  const here = (await lastAnswer())?.targets.filter((target) => target.node === node) ?? [];
  const free = (t: Target) => !activeWorkflow().nodes[node]?.inputs[t.socket];
  const best =
    here.find((t) => t.ok && free(t)) ?? here.find((t) => t.ok) ?? here.find((t) => t.code);
  if (best) await drop(from, node, best.socket, screen);
}

async function refuse(wanted: Ends, target: Target | undefined, screen: Point): Promise<void> {
  const now = activeWorkflow();
  const candidate = connect(now, wanted.node, wanted.socket, wanted.wire);
  const problem = await problemOf(candidate, wanted, target?.code ?? null);
  const message = problem?.message ?? target?.reason ?? t("This socket cannot take that wire.");
  const choices = (problem?.fixes ?? []).map((fix) => ({
    title: fix.title,
    // The wire and its mending are one step to undo; what is said of a file is undone by itself.
    apply: () => {
      mend(fix.edits, (workflow) => wired(workflow, wanted));
      if (fix.statement) void say(fix.statement);
    },
  }));
  const refusal: Refusal = {
    screen,
    problem: { message, because: problem?.because ?? [] },
    choices,
  };
  ui({ refusal });
}

/** The problem that the wire would make, with its fixes. */
async function problemOf(
  candidate: Workflow,
  wanted: Ends,
  code: string | null,
): Promise<Problem | null> {
  let problems: Problem[];
  try {
    const { path, workflow } = activeDocument(useDocuments.getState());
    const answer = await api.check(changed(workflow, path, () => candidate));
    problems = atLevel(answer, workflow, pathOf(activeDocument(useDocuments.getState()))).problems;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
  const errors = problems.filter((problem) => problem.severity === "error");
  const here = (p: Problem) =>
    p.node === wanted.node && socketBase(p.socket ?? "") === socketBase(wanted.socket);
  const same = (p: Problem) => code !== null && p.code === code;
  const touches = (p: Problem) =>
    p.because.some((b) => b.node === wanted.node || b.node === wanted.wire.node);
  return (
    errors.find((p) => here(p) && same(p)) ??
    errors.find(here) ??
    errors.find((p) => same(p) && touches(p)) ??
    null
  );
}
