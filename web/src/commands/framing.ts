/** What commands do with groups, notes, dots and pins. */

import type { Mode } from "../api/types";
import { middle } from "../canvas/instance";
import { putDot } from "../canvas/bending";
import { edgeId } from "../canvas/flow";
import { activeWorkflow, edit, newGesture } from "../store/documents";
import { ui } from "../store/ui";
import { sizeOf, useView } from "../store/view";
import { type Point, setLayout, setMode } from "../workflow/edits";
import { addGroup, addNote, around, NOTE, setGroup, setNote } from "../workflow/frames";
import { type Segment, segmentsOf } from "../workflow/reroutes";
import { freePlace } from "../workflow/room";
import { boxOf, isNode, isPinned, membersOf, ofThing, thing, thingsOf } from "../workflow/things";

const EMPTY = { width: 480, height: 320 }; // of a group that is made around nothing
const snap = (value: number) => Math.round(value / 8) * 8;

function groupOf(id: string) {
  return activeWorkflow().groups.find((group) => group.id === id);
}

/** The things in a group. */
export function membersIn(id: string): string[] {
  const group = groupOf(id);
  return group ? membersOf(activeWorkflow(), group, sizeOf) : [];
}

/** A group around what is chosen, or an empty one; its title is asked for at once. */
export function groupSelected(at: Point = middle()): void {
  const workflow = activeWorkflow();
  const boxes = [...useView.getState().selected].flatMap(
    (name) => boxOf(workflow, name, sizeOf) ?? [],
  );
  const box = boxes.length
    ? around(boxes)
    : { x: snap(at.x - EMPTY.width / 2), y: snap(at.y - 16), ...EMPTY };
  let id = "";
  edit((now) => {
    const added = addGroup(now, box, "");
    id = added.id;
    return added.workflow;
  });
  if (!groupOf(id)) return; // read-only
  useView.getState().select([thing("group", id)]);
  ui({ renaming: thing("group", id) });
}

/** An empty note at the place, or near the middle where nothing lies. */
export function noteHere(at?: Point): void {
  let id = "";
  edit((now) => {
    const boxes = thingsOf(now).flatMap((name) => boxOf(now, name, sizeOf) ?? []);
    const { x, y } = at ?? freePlace(boxes, middle(), NOTE);
    const added = addNote(now, { x: snap(x), y: snap(y) });
    id = added.id;
    return added.workflow;
  });
  if (!activeWorkflow().notes.some((note) => note.id === id)) return;
  useView.getState().select([thing("note", id)]);
  ui({ renaming: thing("note", id) });
}

export function fitGroup(id: string): void {
  const workflow = activeWorkflow();
  const boxes = membersIn(id).flatMap((name) => boxOf(workflow, name, sizeOf) ?? []);
  if (boxes.length) edit((now) => setGroup(now, id, around(boxes)));
}

export function selectMembers(id: string): void {
  useView.getState().select(membersIn(id));
}

export function toggleGroupMode(id: string, mode: Exclude<Mode, "run">): void {
  const nodes = membersIn(id).filter(isNode);
  const on = nodes.every((node) => activeWorkflow().nodes[node]?.mode === mode);
  edit((workflow) => setMode(workflow, nodes, on ? "run" : mode));
}

/** Pin the things where they are, or let go of them if all were pinned. */
export function togglePinned(names: Iterable<string>): void {
  const things = [...names].filter((name) => ofThing(name).kind !== "dot");
  const pinned = !things.every((name) => isPinned(activeWorkflow(), name));
  edit((workflow) =>
    things.reduce((now, name) => {
      const { kind, id } = ofThing(name);
      if (kind === "group") return setGroup(now, id, { pinned });
      return kind === "note" ? setNote(now, id, { pinned }) : setLayout(now, id, { pinned });
    }, workflow),
  );
}

/** The piece of wire that is chosen. */
function chosenSegment(): Segment | undefined {
  const [chosen] = useView.getState().selectedWires;
  return [...segmentsOf(activeWorkflow())].find(({ end, to }) => {
    const id = end ? edgeId(thing("dot", end), "in") : edgeId(to.node, to.socket);
    return id === chosen;
  });
}

/** A dot on the chosen wire. */
export function rerouteHere(at: Point = middle()): boolean {
  const segment = chosenSegment();
  if (!segment) return false;
  putDot(segment, at, newGesture());
  return true;
}
