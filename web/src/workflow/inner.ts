/** Values of nodes wherever they lie: "up/k" is the node k inside of the node up. */

import type { Json, PlacedNode, Workflow } from "../api/types";
import { setValue } from "./edits";
import { shownAs } from "./exposing";
import { seedMode, type SeedMode, setSeedMode } from "./seeds";
import { changed, freshName, INSTANCE, levelOf, locate, subgraphOf, subgraphsOn } from "./subgraphs";

export interface Place {
  node: string;
  widget: string;
}

/** The widget where a person sets it: that of the outermost node that shows it as its own. */
export function outermost(workflow: Workflow, { node, widget }: Place): Place {
  const at = locate(workflow, node);
  if (!at) return { node, widget };
  let { path, id } = at;
  let name = widget;
  while (path.length) {
    const around = workflow.subgraphs?.[subgraphsOn(workflow, path).at(-1) ?? ""];
    const shown = shownAs(around, id, name);
    if (shown === null) break;
    id = path.at(-1) as string;
    path = path.slice(0, -1);
    name = shown;
  }
  return { node: [...path, id].join("/"), widget: name };
}

/** What the widget holds; undefined where it has its default, or there is none. */
export function valueAt(workflow: Workflow, place: Place): Json | undefined {
  const outer = outermost(workflow, place);
  const at = locate(workflow, outer.node);
  if (!at) return undefined;
  const value = levelOf(workflow, at.path).nodes[at.id]?.values[outer.widget];
  if (value !== undefined || outer.node === place.node) return value;
  // The placed node says nothing: what is inside counts.
  const inner = locate(workflow, place.node);
  return inner && levelOf(workflow, inner.path).nodes[inner.id]?.values[place.widget];
}

/** The workflow with the value; a subgraph that other nodes stand for, too, is copied for this one. */
export function withValueAt(workflow: Workflow, place: Place, value: Json): Workflow {
  const { node, widget } = outermost(workflow, place);
  const at = locate(workflow, node);
  if (!at) return workflow;
  const own = withOwnSubgraphs(workflow, at.path);
  return changed(own, at.path, (level) => setValue(level, at.id, widget, value));
}

/** What becomes of the seed with each run; see `seedMode`. */
export function seedModeAt(workflow: Workflow, node: string, widget: string): SeedMode {
  const at = locate(workflow, node);
  return at ? seedMode(levelOf(workflow, at.path), at.id, widget) : "random";
}

export function withSeedModeAt(
  workflow: Workflow,
  node: string,
  widget: string,
  mode: SeedMode,
): Workflow {
  const at = locate(workflow, node);
  if (!at) return workflow;
  return changed(workflow, at.path, (level) => setSeedMode(level, at.id, widget, mode));
}

/** Every node of the path with a subgraph that no other node stands for. */
function withOwnSubgraphs(workflow: Workflow, path: readonly string[]): Workflow {
  let result = workflow;
  path.forEach((id, depth) => {
    const level = levelOf(result, path.slice(0, depth));
    const placed = level.nodes[id] as PlacedNode;
    const everywhere = [result.nodes, ...Object.values(result.subgraphs ?? {}).map((s) => s.nodes)];
    const same = everywhere.flatMap((nodes) =>
      Object.values(nodes).filter(({ type }) => type === placed.type),
    );
    const inner = subgraphOf(placed.type) ?? "";
    const subgraph = result.subgraphs?.[inner];
    if (same.length < 2 || !subgraph) return;
    const name = freshName(inner, result.subgraphs ?? {});
    const type = INSTANCE + name;
    result = changed(
      { ...result, subgraphs: { ...result.subgraphs, [name]: subgraph } },
      path.slice(0, depth),
      (now) => ({ ...now, nodes: { ...now.nodes, [id]: { ...placed, type } } }),
    );
  });
  return result;
}
