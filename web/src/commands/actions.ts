/** What commands do to the selected nodes. */

import { fitAll } from "../canvas/instance";
import { activeWorkflow, edit } from "../store/documents";
import { sizeOf, useView } from "../store/view";
import { arrange } from "../workflow/arrange";
import { setLayout, setMode } from "../workflow/edits";
import { isNode, ofThing, shiftThings } from "../workflow/things";
import { membersIn } from "./framing";

/** The chosen nodes, and those in chosen groups. */
export function selected(): string[] {
  const chosen = [...useView.getState().selected];
  const inGroups = chosen.flatMap((name) => {
    const { kind, id } = ofThing(name);
    return kind === "group" ? membersIn(id) : [];
  });
  return [...new Set([...chosen, ...inGroups])].filter(isNode);
}

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
  const names = new Set([...useView.getState().selected, ...selected()]);
  if (names.size === 0) return false;
  const by = { x, y };
  edit((now) => shiftThings(now, names, by, sizeOf), `nudge-${[...names].join()}`);
  return true;
}

/** Arrange what is selected, or everything. */
export function tidyUp(): void {
  const ids = selected();
  const which = ids.length > 1 ? new Set(ids) : undefined;
  edit((workflow) => arrange(workflow, sizeOf, which));
  if (!which) requestAnimationFrame(() => void fitAll());
}
