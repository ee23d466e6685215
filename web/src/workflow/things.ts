/** All that lies on the canvas (nodes, dots, groups, notes) under one kind of id, to be moved and chosen alike. */

import type { Frame, Workflow } from "../api/types";
import type { Size } from "./arrange";
import { moveNodes, type Point, removeNodes } from "./edits";
import { holds, removeFrames, setGroup, setNote } from "./frames";
import { moveDots, removeDot } from "./reroutes";
import type { Box } from "./room";

export type ThingKind = "node" | "dot" | "group" | "note";

const KINDS: readonly Exclude<ThingKind, "node">[] = ["dot", "group", "note"];
export const DOT: Size = { width: 16, height: 16 };

/** A node's thing is its own id; the others' begin with a mark. */
export function thing(kind: ThingKind, id: string): string {
  return kind === "node" ? id : `@${kind}:${id}`;
}

export function ofThing(thing: string): { kind: ThingKind; id: string } {
  for (const kind of KINDS) {
    const mark = `@${kind}:`;
    if (thing.startsWith(mark)) return { kind, id: thing.slice(mark.length) };
  }
  return { kind: "node", id: thing };
}

export const isNode = (thing: string) => ofThing(thing).kind === "node";

/** What lies on the canvas beside nodes. */
export function thingsBeside(workflow: Workflow): string[] {
  return [
    ...Object.keys(workflow.layout.reroutes ?? {}).map((id) => thing("dot", id)),
    ...workflow.groups.map(({ id }) => thing("group", id)),
    ...workflow.notes.map(({ id }) => thing("note", id)),
  ];
}

/** Every thing of the workflow. */
export function thingsOf(workflow: Workflow): string[] {
  return [...Object.keys(workflow.nodes), ...thingsBeside(workflow)];
}

function frameOf(workflow: Workflow, name: string): Frame | undefined {
  const { kind, id } = ofThing(name);
  const list = kind === "group" ? workflow.groups : kind === "note" ? workflow.notes : [];
  return (list as Frame[]).find((frame) => frame.id === id);
}

/** Where a thing lies; null where it is not there. A dot's place is its middle. */
export function boxOf(workflow: Workflow, name: string, sizeOf: (id: string) => Size): Box | null {
  const { kind, id } = ofThing(name);
  if (kind === "node") {
    if (!workflow.nodes[id]) return null;
    const { x, y } = workflow.layout.nodes[id] ?? { x: 0, y: 0 };
    return { x, y, ...sizeOf(id) };
  }
  if (kind === "dot") {
    const dot = workflow.layout.reroutes?.[id];
    return dot ? { x: dot.x - DOT.width / 2, y: dot.y - DOT.height / 2, ...DOT } : null;
  }
  const frame = frameOf(workflow, name);
  return frame ? { x: frame.x, y: frame.y, width: frame.width, height: frame.height } : null;
}

export function isPinned(workflow: Workflow, name: string): boolean {
  const place = isNode(name) ? workflow.layout.nodes[name] : frameOf(workflow, name);
  return place?.pinned ?? false;
}

/** The things in a group; what stands on its edge belongs to it where its middle does. */
export function membersOf(
  workflow: Workflow,
  group: Frame,
  sizeOf: (id: string) => Size,
): string[] {
  const own = thing("group", group.id);
  return thingsOf(workflow).filter((name) => {
    if (name === own) return false;
    const box = boxOf(workflow, name, sizeOf);
    return box !== null && holds(group, box);
  });
}

/** New places, each the top left corner of the thing's box. */
export function moveThings(workflow: Workflow, places: Record<string, Point>): Workflow {
  const nodes: Record<string, Point> = {};
  const dots: Record<string, Point> = {};
  let result = workflow;
  for (const [name, { x, y }] of Object.entries(places)) {
    const { kind, id } = ofThing(name);
    if (kind === "node") nodes[id] = { x, y };
    else if (kind === "dot") dots[id] = { x: x + DOT.width / 2, y: y + DOT.height / 2 };
    else if (kind === "group") result = setGroup(result, id, { x, y });
    else result = setNote(result, id, { x, y });
  }
  if (Object.keys(nodes).length) result = moveNodes(result, nodes);
  return Object.keys(dots).length ? moveDots(result, dots) : result;
}

/** Things moved by so many pixels; pinned ones stay. */
export function shiftThings(
  workflow: Workflow,
  names: Iterable<string>,
  by: Point,
  sizeOf: (id: string) => Size,
): Workflow {
  const places: Record<string, Point> = {};
  for (const name of names) {
    const box = boxOf(workflow, name, sizeOf);
    if (box && !isPinned(workflow, name)) places[name] = { x: box.x + by.x, y: box.y + by.y };
  }
  return moveThings(workflow, places);
}

/** Without these things; nodes take their wires with them, a group leaves what lies in it. */
export function removeThings(workflow: Workflow, names: Iterable<string>): Workflow {
  const of: Record<ThingKind, Set<string>> = {
    node: new Set(),
    dot: new Set(),
    group: new Set(),
    note: new Set(),
  };
  for (const name of names) {
    const { kind, id } = ofThing(name);
    of[kind].add(id);
  }
  let result = workflow;
  for (const dot of of.dot) result = removeDot(result, dot);
  result = removeFrames(removeFrames(result, "groups", of.group), "notes", of.note);
  return removeNodes(result, of.node);
}
