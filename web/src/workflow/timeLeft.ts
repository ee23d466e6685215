/** How long a run still takes: by the pace of the node that runs, and by how long nodes took before. */

import type { NodeState } from "../api/types";

export interface TimedRun {
  nodes: Record<string, { state: NodeState; seconds?: number | null }>;
  progress: Record<string, { step: number; steps: number }>;
}

/** When a node began, and the first step that was seen of it; milliseconds since 1970. */
export interface Pace {
  since: number;
  first: { step: number; at: number } | null;
}

/** The pace after what is known now. */
export function paced(pace: Pace | undefined, step: number | undefined, now: number): Pace {
  const known = pace ?? { since: now, first: null };
  if (known.first || step === undefined) return known;
  return { ...known, first: { step, at: now } };
}

/** Seconds until a running node is done, or null where nothing is known of it. */
function ofRunning(
  pace: Pace | undefined,
  progress: { step: number; steps: number } | undefined,
  usual: number | undefined,
  now: number,
): number | null {
  if (pace?.first && progress && progress.step > pace.first.step) {
    const each = (now - pace.first.at) / 1000 / (progress.step - pace.first.step);
    return each * (progress.steps - progress.step);
  }
  if (usual === undefined) return null;
  return Math.max(0, usual - (pace ? (now - pace.since) / 1000 : 0));
}

/**
 * Seconds until the run is done, or null where a node of it is one of which nothing is known.
 * `usual` is how many seconds each node took in a run like this one.
 */
export function timeLeft(
  run: TimedRun,
  paces: Record<string, Pace>,
  usual: ReadonlyMap<string, number>,
  now: number,
): number | null {
  let sum = 0;
  const entries = Object.entries(run.nodes);
  for (const [id, node] of entries) {
    if (node.state !== "waiting" && node.state !== "running") continue;
    const left =
      node.state === "running"
        ? ofRunning(paces[id], run.progress[id], usual.get(id), now)
        : (usual.get(id) ?? null);
    if (left === null) return null;
    sum += left;
  }
  return entries.length ? sum : null;
}

/** How long each node took in runs of the same nodes, the newest one that computed it counting. */
export function usualTimes(run: TimedRun, past: readonly TimedRun[]): Map<string, number> {
  const ids = Object.keys(run.nodes).sort().join("\n");
  const found = new Map<string, number>();
  for (const other of past) {
    if (Object.keys(other.nodes).sort().join("\n") !== ids) continue;
    for (const [id, { state, seconds }] of Object.entries(other.nodes))
      if (state === "finished" && typeof seconds === "number" && !found.has(id))
        found.set(id, seconds);
  }
  return found;
}

/** A while in words, whole seconds at the finest: "40 s", "3 min", "1 h 20 min". */
export function inWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}
