/** How far a run is. */

import type { TimedRun } from "./timeLeft";

/** The share of the run that is done, by nodes and the steps of the running one. */
export function share(run: TimedRun): number {
  const entries = Object.entries(run.nodes);
  if (entries.length === 0) return 0;
  const parts = entries.map(([id, node]) => {
    if (node.state === "finished" || node.state === "cached") return 1;
    const step = node.state === "running" ? run.progress[id] : undefined;
    return step ? step.step / Math.max(1, step.steps) : 0;
  });
  return parts.reduce((sum: number, part) => sum + part, 0) / entries.length;
}
