/** What commands do to the selected nodes. */

import { fitAll } from "../canvas/instance";
import { activeWorkflow, edit } from "../store/documents";
import { sizeOf, useView } from "../store/view";
import { aligned, type Direction, distributed, type Side } from "../workflow/align";
import { type Point, setLayout, setMode } from "../workflow/edits";
import { ancestors, descendants } from "../workflow/model";
import type { Box } from "../workflow/room";
import { boxOf, isNode, isPinned, moveThings, ofThing, shiftThings } from "../workflow/things";
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
export async function tidyUp(): Promise<void> {
  const { tidied } = await import("../workflow/tidy");
  const ids = selected();
  const which = ids.length > 1 ? new Set(ids) : undefined;
  edit((workflow) => tidied(workflow, sizeOf, which));
  if (!which) requestAnimationFrame(() => void fitAll());
}

/** Give the chosen things the places that `places` makes of their boxes; pinned ones keep theirs. */
function put(places: (boxes: Record<string, Box>) => Record<string, Point>): void {
  edit((workflow) => {
    const boxes: Record<string, Box> = {};
    for (const name of useView.getState().selected) {
      const box = boxOf(workflow, name, sizeOf);
      if (box) boxes[name] = box;
    }
    const moved = Object.entries(places(boxes)).filter(([name]) => !isPinned(workflow, name));
    return moveThings(workflow, Object.fromEntries(moved));
  });
}

export const align = (side: Side) => put((boxes) => aligned(boxes, side));
export const distribute = (direction: Direction) => put((boxes) => distributed(boxes, direction));

/** Choose what feeds the chosen nodes, or what they feed, as far as it goes. */
export function selectAlong(way: "upstream" | "downstream"): void {
  const workflow = activeWorkflow();
  const chosen = selected();
  const found = way === "upstream" ? ancestors(workflow, chosen) : descendants(workflow, chosen);
  useView.getState().select(found);
}
