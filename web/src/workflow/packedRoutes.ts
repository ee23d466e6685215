/** Where wires run when nodes are packed or come out again: each keeps the dots it passed. */

import type { Layout, PlacedNode, Reroute, Workflow } from "../api/types";
import type { Point } from "./edits";
import { freshId } from "./model";
import { dotsOf } from "./reroutes";
import { INPUTS, OUTPUTS } from "./subgraphs";

type Nodes = Record<string, PlacedNode>;
type Routes = Pick<Layout, "reroutes" | "wires">;

/** A wire by its input, and the dots that it passes from its output on. */
type Course = readonly [node: string, socket: string, dots: readonly string[]];

const WIDTH = 320; // pixels that a node takes to the right of its place, about

/** The layout's part for these wires; `dots` are the places of all. */
function routesOf(courses: Iterable<Course>, dots: Record<string, Point>): Routes {
  const reroutes: Record<string, Reroute> = {};
  const wires: NonNullable<Layout["wires"]> = {};
  for (const [node, socket, passed] of courses) {
    passed.forEach((dot, at) => {
      const before = passed[at - 1];
      const { x, y } = dots[dot] as Point;
      reroutes[dot] = { x, y, ...(before === undefined ? {} : { after: before }) };
    });
    const last = passed.at(-1);
    if (last !== undefined) (wires[node] ??= {})[socket] = { via: last };
  }
  return Object.keys(reroutes).length ? { reroutes, wires } : {};
}

/** The dots that all courses begin with, as far as they are `fitting`. */
function shared(courses: readonly (readonly string[])[], fitting: (dot: string) => boolean) {
  const [first = [], ...others] = courses;
  const end = first.findIndex(
    (dot, at) => !fitting(dot) || others.some((course) => course[at] !== dot),
  );
  return end < 0 ? [...first] : first.slice(0, end);
}

/** What a wire comes from, as a key. */
const origin = (node: string, output: string) => JSON.stringify([node, output]);

export interface Cut {
  inside: Routes;
  outside: Routes;
}

/**
 * The routes once the nodes `ids` lie inside the node `id`, which gets the inputs of `after.nodes[id]` and
 * the outputs `exits`. What wires of one output have in common stays on the side where it lies; of what parts
 * them, dots before the packed nodes' left edge stay outside.
 */
export function cut(
  before: Workflow,
  ids: ReadonlySet<string>,
  after: Nodes,
  id: string,
  exits: Record<string, { node: string; output: string }>,
): Cut {
  const dots = before.layout.reroutes ?? {};
  const xs = [...ids].map((node) => before.layout.nodes[node]?.x ?? 0);
  const left = Math.min(...xs);
  const right = Math.max(...xs) + WIDTH;
  const entering = new Map<string, string[][]>();
  const leaving = new Map<string, string[][]>();
  const note = (groups: Map<string, string[][]>, key: string, course: string[]) =>
    groups.set(key, [...(groups.get(key) ?? []), course]);
  for (const [node, { inputs }] of Object.entries(before.nodes))
    for (const [socket, wire] of Object.entries(inputs)) {
      if (ids.has(node) === ids.has(wire.node)) continue;
      const key = origin(wire.node, wire.output);
      note(ids.has(node) ? entering : leaving, key, dotsOf(before, node, socket));
    }
  const common = new Map<string, string[]>();
  for (const [key, courses] of entering)
    common.set(key, shared(courses, (dot) => (dots[dot]?.x ?? 0) < left));
  for (const [key, courses] of leaving)
    common.set(key, shared(courses, (dot) => (dots[dot]?.x ?? 0) <= right));

  const inside: Course[] = [];
  const outside: Course[] = [];
  for (const [node, { inputs }] of Object.entries(before.nodes))
    for (const [socket, wire] of Object.entries(inputs)) {
      const course = dotsOf(before, node, socket);
      const crosses = ids.has(node) !== ids.has(wire.node);
      const first = crosses ? (common.get(origin(wire.node, wire.output))?.length ?? 0) : 0;
      (ids.has(node) ? inside : outside).push([node, socket, course.slice(first)]);
    }
  for (const [entry, wire] of Object.entries(after[id]?.inputs ?? {}))
    outside.push([id, entry, common.get(origin(wire.node, wire.output)) ?? []]);
  for (const [exit, { node, output }] of Object.entries(exits))
    inside.push([OUTPUTS, exit, common.get(origin(node, output)) ?? []]);
  return { inside: routesOf(inside, dots), outside: routesOf(outside, dots) };
}

const LONGEST = 100; // levels of wires that a course is followed through

/**
 * The routes once the inside of the node `id` lies in its place. `inside` is its level, whose nodes and dots
 * are moved by `shift`; `names` are the ids that its nodes get, and `after` the nodes that there are then.
 */
export function joined(
  before: Workflow,
  id: string,
  inside: Workflow,
  names: ReadonlyMap<string, string>,
  shift: Point,
  after: Nodes,
): Routes {
  const dots: Record<string, Point> = { ...before.layout.reroutes };
  const renamed = new Map<string, string>();
  for (const [dot, { x, y }] of Object.entries(inside.layout.reroutes ?? {})) {
    const fresh = dot in dots ? freshId("dot", { has: (name) => name in dots }) : dot;
    dots[fresh] = { x: x + shift.x, y: y + shift.y };
    renamed.set(dot, fresh);
  }
  const courseTo = (within: boolean, node: string, socket: string, depth = 0): string[] => {
    const level = within ? inside : before;
    const own = dotsOf(level, node, socket).map((dot) =>
      within ? (renamed.get(dot) as string) : dot,
    );
    const wire = level.nodes[node]?.inputs[socket];
    if (!wire || depth > LONGEST) return own;
    if (within && wire.node === INPUTS) return [...courseTo(false, id, wire.output, depth + 1), ...own];
    if (!within && wire.node === id)
      return [...courseTo(true, OUTPUTS, wire.output, depth + 1), ...own];
    return own;
  };
  const origins = new Map([...names].map(([inner, fresh]) => [fresh, inner]));
  const courses: Course[] = [];
  for (const [node, { inputs }] of Object.entries(after))
    for (const socket of Object.keys(inputs)) {
      const inner = origins.get(node);
      const course =
        inner === undefined ? courseTo(false, node, socket) : courseTo(true, inner, socket);
      courses.push([node, socket, course]);
    }
  return routesOf(courses, dots);
}
