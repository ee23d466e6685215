/** What commands do to the selected nodes. */

import { fitAll } from "../canvas/instance";
import { activeWorkflow, edit } from "../store/documents";
import { sizeOf, useView } from "../store/view";
import { arrange } from "../workflow/arrange";
import { moveNodes, type Point, setLayout, setMode } from "../workflow/edits";

export const selected = () => [...useView.getState().selected];

export function toggleMode(mode: "mute" | "bypass"): void {
  const ids = selected();
  const { nodes } = activeWorkflow();
  const on = ids.every((id) => nodes[id]?.mode === mode);
  edit((workflow) => setMode(workflow, ids, on ? "run" : mode));
}

export function toggleFold(): void {
  const ids = selected();
  const places = activeWorkflow().layout.nodes;
  const fold = !ids.every((id) => places[id]?.collapsed);
  edit((workflow) => ids.reduce((done, id) => setLayout(done, id, { collapsed: fold }), workflow));
}

export function nudge(x: number, y: number): boolean {
  const ids = selected();
  if (ids.length === 0) return false;
  edit((workflow) => {
    const places: Record<string, Point> = {};
    for (const id of ids) {
      const at = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
      places[id] = { x: at.x + x, y: at.y + y };
    }
    return moveNodes(workflow, places);
  }, `nudge-${ids.join()}`);
  return true;
}

/** Arrange what is selected, or everything. */
export function tidyUp(): void {
  const ids = selected();
  const which = ids.length > 1 ? new Set(ids) : undefined;
  edit((workflow) => arrange(workflow, sizeOf, which));
  if (!which) requestAnimationFrame(() => void fitAll());
}
