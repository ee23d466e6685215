/** Carry out a fix as one step, and show what it added. */

import type { Edit, Workflow } from "../api/types";
import { activeWorkflow, edit } from "../store/documents";
import { sizeOf } from "../store/view";
import { applyEdits } from "../workflow/edits";
import { reveal } from "./instance";

/** Apply the edits; `first` is done in the same step, so that one undo takes back both. */
export function mend(
  edits: readonly Edit[],
  first: (workflow: Workflow) => Workflow = (workflow) => workflow,
): void {
  const before = activeWorkflow().nodes;
  edit((workflow) => applyEdits(first(workflow), edits, sizeOf));
  const added = Object.entries(activeWorkflow().layout.nodes).filter(([id]) => !before[id]);
  for (const [id, { x, y }] of added) reveal({ x, y, ...sizeOf(id) });
}
