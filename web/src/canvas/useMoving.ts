/** Things under the hand: chosen, measured, and dragged, with what lies in a group and with what they catch on. */

import type { NodeChange, NodePositionChange } from "@xyflow/react";
import { useCallback, useRef } from "react";
import { create } from "zustand";
import type { Workflow } from "../api/types";
import { activeWorkflow, edit, newGesture } from "../store/documents";
import { useSettings } from "../store/settings";
import { sizeOf, useView } from "../store/view";
import type { Point } from "../workflow/edits";
import type { Box } from "../workflow/room";
import { catchOn, type Guides } from "../workflow/snapping";
import { boxOf, isPinned, membersOf, moveThings, ofThing } from "../workflow/things";
import type { FlowNode } from "./flow";
import { toScreen, viewOf } from "./instance";
import { dropNodeOn, wireAt } from "./onWire";

const REACH = 6; // pixels of the window within which a box catches
const TITLE_MIDDLE = 16; // pixels from a node's top
const NOWHERE: Guides = { x: null, y: null };

export const useGuides = create<Guides>()(() => NOWHERE);

type Places = Record<string, Point>;

/** What the groups among the moved things take along, and how far. */
function withMembers(workflow: Workflow, places: Places, members: Map<string, string[]>): Places {
  const all = { ...places };
  for (const [name, at] of Object.entries(places)) {
    const box = boxOf(workflow, name, sizeOf);
    if (ofThing(name).kind !== "group" || !box) continue;
    for (const member of members.get(name) ?? []) {
      const old = boxOf(workflow, member, sizeOf);
      if (!old || all[member] || isPinned(workflow, member)) continue;
      all[member] = { x: old.x + at.x - box.x, y: old.y + at.y - box.y };
    }
  }
  return all;
}

function membersOfGroup(workflow: Workflow, name: string): string[] {
  const { kind, id } = ofThing(name);
  const group = kind === "group" ? workflow.groups.find((frame) => frame.id === id) : undefined;
  return group ? membersOf(workflow, group, sizeOf) : [];
}

/** The boxes of a workflow that are seen and do not move. */
function standing(workflow: Workflow, moving: Places): Box[] {
  const seen = viewOf();
  const names = [...Object.keys(workflow.nodes), ...workflow.notes.map(({ id }) => `@note:${id}`)];
  return names.flatMap((name) => {
    const box = moving[name] ? null : boxOf(workflow, name, sizeOf);
    const apart =
      !box ||
      box.x > seen.x + seen.width ||
      box.x + box.width < seen.x ||
      box.y > seen.y + seen.height ||
      box.y + box.height < seen.y;
    return apart ? [] : [box];
  });
}

/** The places after catching on what stands; the first thing leads. Shows the lines it caught on. */
function caught(workflow: Workflow, places: Places): Places {
  const [lead, at] = Object.entries(places)[0] ?? [];
  const box = lead && boxOf(workflow, lead, sizeOf);
  if (!box || !at || ofThing(lead).kind !== "node" || !useSettings.getState().snapNodes)
    return places;
  const reach = REACH / viewOf().zoom;
  const { dx, dy, x, y } = catchOn({ ...box, ...at }, standing(workflow, places), reach);
  useGuides.setState({ x, y });
  if (!dx && !dy) return places;
  return Object.fromEntries(
    Object.entries(places).map(([name, place]) => [name, { x: place.x + dx, y: place.y + dy }]),
  );
}

/** A node that was let go over a wire may stand on it. */
async function onto(name: string, gesture: string): Promise<void> {
  const box = boxOf(activeWorkflow(), name, sizeOf);
  if (!box || ofThing(name).kind !== "node") return;
  const title = toScreen({ x: box.x + box.width / 2, y: box.y + TITLE_MIDDLE });
  const end = wireAt(title);
  if (end) await dropNodeOn(name, end, gesture);
}

/** What React Flow reports of its nodes, made edits and state of the view. */
export function useNodeChanges() {
  const gesture = useRef<string | null>(null);
  const members = useRef(new Map<string, string[]>());
  const move = useCallback((changes: NodePositionChange[]) => {
    const workflow = activeWorkflow();
    const dragging = changes.some((change) => change.dragging);
    if (dragging && !gesture.current) {
      gesture.current = newGesture();
      members.current = new Map(changes.map(({ id }) => [id, membersOfGroup(workflow, id)]));
    }
    let places: Places = {};
    for (const { id, position } of changes) if (position) places[id] = position;
    if (dragging) places = caught(workflow, places);
    const step = gesture.current ?? newGesture();
    // The end of a drag only says that it is over: where the hand let go, things lie already.
    if (dragging || !gesture.current) {
      places = withMembers(workflow, places, members.current);
      edit((now) => moveThings(now, places), step);
    }
    if (dragging) return;
    const [only] = changes;
    if (gesture.current && only && changes.length === 1) void onto(only.id, gesture.current);
    gesture.current = null;
    members.current.clear();
    useGuides.setState(NOWHERE);
  }, []);
  return useCallback(
    (changes: NodeChange<FlowNode>[]) => {
      const view = useView.getState();
      let selected: Set<string> | null = null;
      const sizes: typeof view.measured = {};
      const moved: NodePositionChange[] = [];
      for (const change of changes) {
        if (change.type === "position") moved.push(change);
        else if (change.type === "select") {
          selected ??= new Set(view.selected);
          if (change.selected) selected.add(change.id);
          else selected.delete(change.id);
        } else if (change.type === "dimensions" && change.dimensions) {
          Object.assign(sizes, { [change.id]: change.dimensions });
        }
      }
      if (Object.keys(sizes).length) useView.setState({ measured: { ...view.measured, ...sizes } });
      if (selected) useView.setState({ selected });
      if (moved.length) move(moved);
    },
    [move],
  );
}
