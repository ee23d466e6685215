/** Carry out a fix as one step, and show what it added. */

import type { Edit, Workflow } from "../api/types";
import { activeDocument, activeWorkflow, editWhole, useDocuments } from "../store/documents";
import { sizeOf } from "../store/view";
import { applyEdits } from "../workflow/edits";
import { changed } from "../workflow/subgraphs";
import { reveal } from "./instance";

/** Apply the edits; `first` is done in the same step, so that one undo takes back both. */
export function mend(
  edits: readonly Edit[],
  first: (workflow: Workflow) => Workflow = (workflow) => workflow,
): void {
  const before = activeWorkflow().nodes;
  const { path } = activeDocument(useDocuments.getState());
  editWhole((workflow) => applyEdits(changed(workflow, path, first), edits, sizeOf));
  const added = Object.entries(activeWorkflow().layout.nodes).filter(([id]) => !before[id]);
  for (const [id, { x, y }] of added) reveal({ x, y, ...sizeOf(id) });
}
