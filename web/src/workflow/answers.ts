/** What the checker's answer says of the nodes of one level, by the ids that they have there. */

import type { CheckAnswer, NodeTypes, Problem, Workflow } from "../api/types";
import { INPUTS, levelOf, locate, OUTPUTS, type Path, prefixOf } from "./subgraphs";

type Answer = Pick<CheckAnswer, "problems" | "types">;

/**
 * A problem of a node further inside is told at the node that it lies in, at the socket whose wire leads there.
 * The interface has the types of the node's own sockets.
 */
export function atLevel(answer: Answer, workflow: Workflow, path: Path): Answer {
  const prefix = prefixOf(path);
  const problems = answer.problems.flatMap((problem) => placed(problem, workflow, path) ?? []);
  if (!prefix) return { problems, types: answer.types };
  const types: Record<string, NodeTypes> = {};
  for (const [node, found] of Object.entries(answer.types))
    if (node.startsWith(prefix)) types[node.slice(prefix.length)] = found;
  const around = answer.types[prefix.slice(0, -1)];
  if (around) {
    types[INPUTS] = { inputs: {}, outputs: around.inputs };
    types[OUTPUTS] = { inputs: around.outputs, outputs: {} };
  }
  return { problems, types };
}

/** The problem at its node of the level; null where it lies elsewhere. */
function placed(problem: Problem, workflow: Workflow, path: Path): Problem | null {
  if (problem.node === null) return path.length ? null : problem;
  const at = lifted(workflow, path, problem.node, problem.socket);
  if (!at) return path.length ? null : problem;
  const because = problem.because.map((side) => {
    const end = lifted(workflow, path, side.node, side.socket);
    return end ? { ...side, node: end.node, socket: end.socket ?? "" } : side;
  });
  return { ...problem, ...at, because };
}

/** The node of the level that is, or holds, the one that the server names, and its socket there. */
function lifted(workflow: Workflow, path: Path, name: string, socket: string | null) {
  const at = locate(workflow, name);
  if (!at || at.path.length < path.length || path.some((id, depth) => at.path[depth] !== id))
    return null;
  const node = at.path[path.length] ?? at.id;
  return { node, socket: socketAround(workflow, at, socket, path.length) };
}

/** The outer socket that leads to an inner one, `depth` levels below the workflow; null where none does. */
function socketAround(
  workflow: Workflow,
  at: { path: string[]; id: string },
  socket: string | null,
  depth: number,
): string | null {
  let { path, id } = at;
  while (path.length > depth && socket !== null) {
    const wire = levelOf(workflow, path).nodes[id]?.inputs[socket];
    socket = wire?.node === INPUTS ? wire.output : null;
    id = path[path.length - 1] as string;
    path = path.slice(0, -1);
  }
  return socket;
}
