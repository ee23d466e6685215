/** The pins of the app view follow nodes that are packed into one node, or come out of one. */

import type { Workflow } from "../api/types";
import { type AppForm, appOf, withApp } from "./app";
import { locate, type Path, subgraphOf, subgraphsOn } from "./subgraphs";

/** The whole of a workflow, `path` of which shows the level that was changed. */
interface Changed {
  before: Workflow;
  after: Workflow;
  path: Path;
}

/** The ids from the outermost node to the one that is named, and which of them lies in the changed level. */
function traced({ before, path }: Changed, name: string) {
  const at = locate(before, name);
  if (!at) return null;
  const ids = [...at.path, at.id];
  const inner = subgraphsOn(before, at.path);
  const level = subgraphsOn(before, path).at(-1);
  const depth = level === undefined ? 0 : inner.indexOf(level) + 1;
  return level !== undefined && depth === 0 ? null : { ids, depth };
}

function withForm(change: Changed, form: (form: AppForm) => AppForm): Workflow {
  const { before, after } = change;
  return before.app === undefined ? after : withApp(after, form(appOf(before)));
}

/** After the nodes `packed` were made one node `id`. */
export function pinsPacked(change: Changed, packed: ReadonlySet<string>, id: string): Workflow {
  const moved = (name: string) => {
    const found = traced(change, name);
    if (!found || !packed.has(found.ids[found.depth] ?? "")) return name;
    return found.ids.toSpliced(found.depth, 0, id).join("/");
  };
  return withForm(change, (form) => ({
    ...form,
    inputs: form.inputs.map((pin) => ({ ...pin, node: moved(pin.node) })),
    outputs: form.outputs.map(moved),
  }));
}

/**
 * After the node `id` made way for what was inside, which is called by `names` now. A pinned widget that it
 * showed is the inner node's; in place of its results those of the nodes inside that give any are shown.
 */
export function pinsUnpacked(
  change: Changed,
  id: string,
  names: ReadonlyMap<string, string>,
  gives: (type: string) => boolean,
): Workflow {
  const { before } = change;
  const inner = (at: { ids: string[]; depth: number }) => {
    const type = nodeType(change, at.ids.slice(0, at.depth + 1));
    return before.subgraphs?.[subgraphOf(type) ?? ""];
  };
  const moved = (at: { ids: string[]; depth: number }) => {
    const next = at.ids[at.depth + 1] as string;
    return at.ids.toSpliced(at.depth, 2, names.get(next) ?? next).join("/");
  };
  const found = (name: string) => {
    const at = traced(change, name);
    return at && at.ids[at.depth] === id ? at : null;
  };
  return withForm(change, (form) => ({
    ...form,
    inputs: form.inputs.flatMap((pin) => {
      const at = found(pin.node);
      if (!at) return [pin];
      if (at.ids.length > at.depth + 1) return [{ ...pin, node: moved(at) }];
      const shown = inner(at)?.widgets[pin.widget];
      if (!shown) return [];
      return [{ ...pin, node: moved({ ...at, ids: [...at.ids, shown.node] }), widget: shown.name }];
    }),
    outputs: form.outputs.flatMap((name) => {
      const at = found(name);
      if (!at) return [name];
      if (at.ids.length > at.depth + 1) return [moved(at)];
      return Object.entries(inner(at)?.nodes ?? {}).flatMap(([node, { type }]) =>
        gives(type) ? [moved({ ...at, ids: [...at.ids, node] })] : [],
      );
    }),
  }));
}

function nodeType({ before }: Changed, ids: readonly string[]): string | undefined {
  const nodes = [before.nodes, ...subgraphsOn(before, ids.slice(0, -1)).map((name) => before.subgraphs?.[name]?.nodes)];
  return nodes.at(-1)?.[ids.at(-1) ?? ""]?.type;
}
