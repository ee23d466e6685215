/** Go into nodes that stand for subgraphs and out again, and keep what they show known as a node type. */

import type { MouseEvent } from "react";
import { show } from "../canvas/instance";
import { derived } from "../workflow/interface";
import { locate, subgraphOf } from "../workflow/subgraphs";
import { useCatalogue } from "./catalogue";
import { activeDocument, activeWorkflow, pathOf, useDocuments } from "./documents";
import { useView } from "./view";

const DRAWN = 60; // milliseconds in which another level is drawn and measured

const path = () => pathOf(activeDocument(useDocuments.getState()));

/** Show another level of the active workflow, with a node of it chosen; no step to undo. */
export function goTo(to: readonly string[], node?: string): void {
  const { active, update } = useDocuments.getState();
  if (to.join("/") !== path().join("/")) update(active, { path: [...to] });
  if (node) useView.getState().select([node]);
}

/** Show the inside of the node, if it stands for a subgraph. */
export function enter(id: string): boolean {
  const { nodes, subgraphs } = activeWorkflow();
  const inner = subgraphOf(nodes[id]?.type);
  if (inner === null || !subgraphs?.[inner]) return false;
  goTo([...path(), id]);
  return true;
}

/** Show what lies around, with the node chosen that was left; false where nothing does. */
export function leave(): boolean {
  const here = path();
  const left = here.at(-1);
  if (left === undefined) return false;
  goTo(here.slice(0, -1), left);
  return true;
}

/** What Escape does last; in a field it only leaves the field. */
export function leaveUnlessTyping(): boolean {
  return !document.activeElement?.matches("input, textarea, select") && leave();
}

/** A double click beside fields and title goes inside. */
export function enterByHand(event: MouseEvent, id: string): void {
  const target = event.target as Element;
  if (!target.closest("input, textarea, button, select, .node-title")) enter(id);
}

/** Show the node that the server calls so, wherever it lies. */
export function showNode(name: string): void {
  const at = locate(activeDocument(useDocuments.getState()).workflow, name);
  if (!at) return;
  goTo(at.path, at.id);
  setTimeout(() => show([at.id]), DRAWN);
}

/** Let the catalogue know the subgraphs of the active workflow, and the interface of what is shown. */
function refresh(): void {
  const { served, definitions } = useCatalogue.getState();
  const document = activeDocument(useDocuments.getState());
  const own = derived(document.workflow, pathOf(document), served);
  const all = { ...served };
  let same = true;
  for (const [type, definition] of Object.entries(own)) {
    const old = definitions[type];
    const kept = old && JSON.stringify(old) === JSON.stringify(definition) ? old : definition;
    same &&= kept === old;
    all[type] = kept;
  }
  same &&= Object.keys(all).length === Object.keys(definitions).length;
  if (!same) useCatalogue.setState({ definitions: all });
}

/** Begin to watch. */
export function watchLevels(): void {
  useDocuments.subscribe((state, before) => {
    const [now, then] = [activeDocument(state), activeDocument(before)];
    if (now === then) return;
    const { workflow, path: to } = now;
    if (workflow.subgraphs === then.workflow.subgraphs && to === then.path && now.id === then.id)
      return;
    refresh();
  });
  useCatalogue.subscribe((state, before) => {
    if (state.served !== before.served) refresh();
  });
  refresh();
}
