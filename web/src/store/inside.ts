/** What a run makes of a node that stands for a subgraph: the sum of what it makes of the nodes inside. */

import type { NodeRun, Run } from "./runs";

/** The node's own state, or that of all inside together. */
export function nodeRunOf(run: Run | undefined, name: string): NodeRun | undefined {
  if (!run) return undefined;
  if (run.nodes[name]) return run.nodes[name];
  const inside = Object.entries(run.nodes).filter(([id]) => id.startsWith(`${name}/`));
  return inside.length ? summed(inside.map(([, node]) => node)) : undefined;
}

export function summed(nodes: readonly NodeRun[]): NodeRun {
  const has = (state: NodeRun["state"]) => nodes.some((node) => node.state === state);
  const failed = nodes.find((node) => node.state === "failed");
  if (failed) return { state: "failed", message: failed.message };
  const begun = has("finished") || has("running");
  if (has("running") || (has("waiting") && begun)) return { state: "running" };
  if (has("waiting")) return { state: "waiting" };
  if (has("cancelled")) return { state: "cancelled" };
  if (!begun) return { state: "cached" };
  const seconds = nodes.reduce((sum, node) => sum + (node.seconds ?? 0), 0);
  return { state: "finished", seconds };
}

/** The progress or preview of a node, or of the one inside it that runs or ran last. */
export function runningOf<Part extends "progress" | "previews">(
  run: Run | undefined,
  name: string,
  part: Part,
): Run[Part][string] | undefined {
  if (!run) return undefined;
  const own = run[part][name];
  if (own !== undefined) return own as Run[Part][string];
  const inside = Object.keys(run[part]).filter((id) => id.startsWith(`${name}/`));
  const at = inside.find((id) => run.nodes[id]?.state === "running") ?? inside.at(-1);
  return at === undefined ? undefined : (run[part][at] as Run[Part][string]);
}
