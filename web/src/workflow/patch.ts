/** What changed from one JSON value to another, so that a step of undo is kept in a few bytes. */

import type { Json } from "../api/types";

export interface Patch {
  /** Paths and the values that are there afterwards. */
  set: [string[], Json][];
  /** Paths that are gone afterwards. */
  unset: string[][];
}

type Tree = Record<string, unknown>;

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What makes `after` of `before`. Parts that are the same object are not looked into; lists are taken whole. */
export function diff(before: unknown, after: unknown): Patch {
  const patch: Patch = { set: [], unset: [] };
  collect(before, after, [], patch);
  return patch;
}

function collect(before: unknown, after: unknown, path: string[], patch: Patch): void {
  if (before === after) return;
  if (!isTree(before) || !isTree(after)) {
    patch.set.push([path, after as Json]);
    return;
  }
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key) || after[key] === undefined) patch.unset.push([...path, key]);
  }
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    if (Object.hasOwn(before, key)) collect(before[key], value, [...path, key], patch);
    else patch.set.push([[...path, key], value as Json]);
  }
}

/** `value` with the patch; it shares with `value` everything that the patch does not touch. */
export function patched<T>(value: T, { set, unset }: Patch): T {
  let result: unknown = value;
  for (const path of unset) result = changed(result, path, undefined);
  for (const [path, to] of set) result = changed(result, path, to);
  return result as T;
}

function changed(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const tree = isTree(value) ? value : {};
  if (rest.length === 0 && to === undefined) {
    const { [key]: _gone, ...left } = tree;
    return left;
  }
  return { ...tree, [key]: changed(tree[key], rest, to) };
}
