/** What is other in a workflow than in one that the server has, so that an edit of a few nodes sends these alone. */

import type { Workflow } from "../api/types";

export interface Change {
  /** The changed and new nodes and subgraphs. */
  workflow: Pick<Workflow, "version" | "nodes" | "subgraphs">;
  /** The ids that there are now, where they are not those of before with the new ones behind. */
  order: { nodes?: string[]; subgraphs?: string[] };
}

/** What makes the graph of `now` of that of `before`; layouts are left out. Null where it cannot be told so. */
export function changeOf(before: Workflow, now: Workflow): Change | null {
  if (before.version !== now.version) return null;
  const nodes = changeIn(before.nodes, now.nodes);
  const subgraphs = changeIn(before.subgraphs ?? {}, now.subgraphs ?? {});
  return {
    workflow: { version: now.version, nodes: nodes.changed, subgraphs: subgraphs.changed },
    order: { nodes: nodes.order, subgraphs: subgraphs.order },
  };
}

function changeIn<T>(before: Record<string, T>, now: Record<string, T>) {
  const changed: Record<string, T> = {};
  if (before === now) return { changed };
  const ids = Object.keys(now);
  const merged = Object.keys(before);
  for (const id of ids) {
    if (!Object.hasOwn(before, id)) merged.push(id);
    if (before[id] !== now[id]) changed[id] = now[id] as T;
  }
  const same = ids.length === merged.length && ids.every((id, at) => id === merged[at]);
  return { changed, order: same ? undefined : ids };
}

/** `before` with the entries of `changed`, without those that are gone; itself where nothing is other. */
export function withChanges<T>(
  before: Record<string, T>,
  changed: Record<string, T>,
  gone: readonly string[],
): Record<string, T> {
  if (gone.length === 0 && Object.keys(changed).length === 0) return before;
  const now = { ...before, ...changed };
  for (const id of gone) delete now[id];
  return now;
}
