/**
 * A guess of what Run will do: how many nodes run and how long that takes.
 * It only tells; the plan that counts is the server's.
 */

import type { Workflow } from "../api/types";
import { ancestors, type Definitions, type Placed } from "./model";
import { subgraphOf } from "./subgraphs";

/** A number for a node together with all that it depends on: equal number, equal work. */
export type Signature = number;

const numbers = new Map<string, Signature>();

function intern(text: string): Signature {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, numbers.size);
  return numbers.size - 1;
}

/** The signature of every node of `ids`, sources first, without recursion. Nodes of a cycle have none. */
export function signatures(
  workflow: Placed & Pick<Workflow, "subgraphs">,
  ids: Iterable<string>,
): Map<string, Signature> {
  const found = new Map<string, Signature>();
  const entered = new Set<string>();
  const open = [...ids];
  while (open.length) {
    const id = open[open.length - 1] as string;
    const node = workflow.nodes[id];
    if (!node || found.has(id)) {
      open.pop();
      continue;
    }
    const inputs = Object.entries(node.inputs).sort(([a], [b]) => (a < b ? -1 : 1));
    const missing = inputs.map(([, wire]) => wire.node).filter((source) => !found.has(source));
    if (missing.length && !entered.has(id)) {
      entered.add(id);
      open.push(...missing);
      continue;
    }
    open.pop();
    const wires = inputs.map(([socket, wire]) => [socket, found.get(wire.node) ?? -1, wire.output]);
    const values = Object.entries(node.values).sort(([a], [b]) => (a < b ? -1 : 1));
    const inside = workflow.subgraphs?.[subgraphOf(node.type) ?? ""];
    found.set(
      id,
      intern(JSON.stringify([inside ?? node.type, node.version, node.mode, values, wires])),
    );
  }
  return found;
}

/** What was computed before, and in how many seconds. */
export interface Experience {
  done: Map<Signature, number>;
  /** The last time a type of node took, as the guess for a new one. */
  byType: Map<string, number>;
}

export interface Forecast {
  cached: number;
  toRun: number;
  /** Seconds; null where some node has never run yet. */
  seconds: number | null;
  /** What its models take; only the server knows that. */
  memory?: MemoryForecast;
}

/** Estimated bytes: of all models together, of those that one node uses, and what there is for them. */
export interface MemoryForecast {
  models: number;
  atOnce: number;
  budget: number;
}

export function wantedNodes(workflow: Placed, definitions: Definitions): string[] {
  return Object.entries(workflow.nodes)
    .filter(([, node]) => node.mode === "run" && definitions[node.type]?.output)
    .map(([id]) => id);
}

export function forecast(workflow: Placed, definitions: Definitions, past: Experience): Forecast {
  const needed = ancestors(workflow, wantedNodes(workflow, definitions));
  const signed = signatures(workflow, needed);
  const result: Forecast = { cached: 0, toRun: 0, seconds: 0 };
  for (const id of needed) {
    const node = workflow.nodes[id];
    if (!node || node.mode !== "run") continue;
    const signature = signed.get(id);
    const definition = definitions[node.type];
    if (signature !== undefined && past.done.has(signature) && definition?.cache !== false) {
      result.cached++;
      continue;
    }
    result.toRun++;
    const took = past.byType.get(node.type);
    result.seconds = took === undefined || result.seconds === null ? null : result.seconds + took;
  }
  return result;
}
