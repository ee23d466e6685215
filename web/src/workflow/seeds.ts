/** Seeds go to 2**64 - 1, past what a double holds, so from 2**53 up they are decimal strings. */

import type { Json, NodeDefinition, Workflow } from "../api/types";
import { setLayout, setValue } from "./edits";
import type { Definitions } from "./model";

export const LARGEST_SEED = 2n ** 64n - 1n;
const EXACT = 2n ** 53n;

/** The saved form of a seed: a number where it is exact, else a decimal string. */
export function packSeed(seed: bigint): number | string {
  const held = seed < 0n ? 0n : seed > LARGEST_SEED ? LARGEST_SEED : seed;
  return held < EXACT ? Number(held) : held.toString();
}

/** What a person typed as a seed, or null where it is none. Spaces and separators are left out. */
export function readSeed(text: string): number | string | null {
  const digits = text.replace(/[\s_,']/g, "");
  return /^\d+$/.test(digits) ? packSeed(BigInt(digits)) : null;
}

export function seedText(value: Json | undefined): string {
  return typeof value === "number" || typeof value === "string" ? String(value) : "0";
}

/** The seed `steps` further on, for the arrow keys. */
export function stepSeed(value: Json | undefined, steps: number): number | string {
  const now = readSeed(seedText(value));
  return packSeed(BigInt(now ?? 0) + BigInt(steps));
}

/** A random seed of 32 bits: short enough to read aloud, many enough never to meet twice. */
export function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

export function seedWidgets(definition: NodeDefinition | undefined): string[] {
  return (definition?.widgets ?? []).filter((w) => w.control === "seed").map((w) => w.name);
}

export function isFixed(workflow: Workflow, node: string, name: string): boolean {
  return workflow.layout.nodes[node]?.fixed?.includes(name) ?? false;
}

export function setFixed(workflow: Workflow, node: string, name: string, fixed: boolean): Workflow {
  const others = (workflow.layout.nodes[node]?.fixed ?? []).filter((other) => other !== name);
  return setLayout(workflow, node, { fixed: fixed ? [...others, name] : others });
}

/** What happens to a seed from run to run: drawn anew, kept, or one more. */
export type SeedMode = "random" | "fixed" | "counting";

export function seedMode(workflow: Workflow, node: string, name: string): SeedMode {
  if (isFixed(workflow, node, name)) return "fixed";
  const { counting } = workflow.layout.nodes[node] ?? {};
  return counting?.includes(name) ? "counting" : "random";
}

export function setSeedMode(
  workflow: Workflow,
  node: string,
  name: string,
  mode: SeedMode,
): Workflow {
  const others = (workflow.layout.nodes[node]?.counting ?? []).filter((other) => other !== name);
  const counting = mode === "counting" ? [...others, name] : others;
  return setLayout(setFixed(workflow, node, name, mode === "fixed"), node, { counting });
}

/** Seeds that have been run in this document: `{"k_sampler/seed": 7}`. */
export type UsedSeeds = Record<string, Json>;

interface Seed {
  /** The subgraph that it lies in, or null for the workflow itself. */
  inside: string | null;
  node: string;
  name: string;
  value: Json;
  fixed: boolean;
  counting: boolean;
}

function* seedsOf(workflow: Workflow, definitions: Definitions): Generator<Seed> {
  const levels: [string | null, Pick<Workflow, "nodes" | "layout">][] = [
    [null, workflow],
    ...Object.entries(workflow.subgraphs ?? {}),
  ];
  for (const [inside, level] of levels) {
    const shown = new Set(
      Object.values(workflow.subgraphs?.[inside ?? ""]?.widgets ?? {}).map(
        (w) => `${w.node}/${w.name}`,
      ),
    );
    for (const [node, placed] of Object.entries(level.nodes)) {
      for (const widget of definitions[placed.type]?.widgets ?? []) {
        const { name } = widget;
        // A wire brings it, or the node outside that shows it holds it.
        if (widget.control !== "seed" || placed.inputs[name] || shown.has(`${node}/${name}`))
          continue;
        const value = placed.values[name] ?? widget.default ?? 0;
        const fixed = level.layout?.nodes[node]?.fixed?.includes(name) ?? false;
        const counting = level.layout?.nodes[node]?.counting?.includes(name) ?? false;
        yield { inside, node, name, value, fixed, counting };
      }
    }
  }
}

const keyOf = ({ inside, node, name }: Seed) =>
  inside === null ? `${node}/${name}` : `subgraph:${inside}/${node}/${name}`;

/**
 * The workflow to run: a seed that is not fixed and was run before is drawn anew, or counted on.
 * A seed that a person has seen but not run is used as it stands, so what is shown is what runs.
 */
export function withFreshSeeds(
  workflow: Workflow,
  definitions: Definitions,
  used: UsedSeeds,
  draw: () => number = drawSeed,
): Workflow {
  let fresh = workflow;
  for (const seed of seedsOf(workflow, definitions)) {
    const ran = used[keyOf(seed)];
    if (seed.fixed || ran === undefined || String(ran) !== String(seed.value)) continue;
    const next = seed.counting ? stepSeed(seed.value, 1) : draw();
    const old = seed.inside === null ? undefined : fresh.subgraphs?.[seed.inside];
    if (seed.inside === null || !old) {
      fresh = setValue(fresh, seed.node, seed.name, next);
      continue;
    }
    const { nodes } = setValue({ ...fresh, nodes: old.nodes }, seed.node, seed.name, next);
    fresh = { ...fresh, subgraphs: { ...fresh.subgraphs, [seed.inside]: { ...old, nodes } } };
  }
  return fresh;
}

/** The seeds of a workflow that is being sent, to be remembered as used. */
export function usedSeeds(workflow: Workflow, definitions: Definitions): UsedSeeds {
  const used: UsedSeeds = {};
  for (const seed of seedsOf(workflow, definitions)) used[keyOf(seed)] = seed.value;
  return used;
}
