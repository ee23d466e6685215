/** A run's nodes one after another: when each began, how long it took, and what came from the cache. */

import type { NodeState } from "../api/types";

export interface Bar {
  node: string;
  state: NodeState;
  /** Seconds after the first node began. */
  begin: number;
  seconds: number;
  /** Bytes that models took on the device when it was done; null where nobody told. */
  memory: number | null;
}

interface Told {
  state: NodeState;
  seconds?: number | null;
  memory?: number | null;
}

/** Nodes run one at a time, so each begins where the one before has ended. */
export function timeline(nodes: Record<string, Told>): Bar[] {
  let begin = 0;
  return Object.entries(nodes)
    .filter(([, { state }]) => state !== "waiting")
    .map(([node, { state, seconds, memory }]) => {
      const took = state === "cached" ? 0 : (seconds ?? 0);
      const bar = { node, state, begin, seconds: took, memory: memory ?? null };
      begin += took;
      return bar;
    });
}

export interface Totals {
  seconds: number;
  ran: number;
  cached: number;
  memory: number | null;
}

export function totals(bars: readonly Bar[]): Totals {
  const known = bars.flatMap(({ memory }) => (memory === null ? [] : [memory]));
  return {
    seconds: bars.reduce((sum, { seconds }) => sum + seconds, 0),
    ran: bars.filter(({ state }) => state === "finished" || state === "failed").length,
    cached: bars.filter(({ state }) => state === "cached").length,
    memory: known.length ? Math.max(...known) : null,
  };
}
