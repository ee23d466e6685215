/** Groups and notes: frames on the canvas, kept in lists of the saved form. */

import type { Frame, Group, Note, Workflow } from "../api/types";
import type { Point } from "./edits";
import { freshId } from "./model";
import type { Box } from "./room";

/** The palette's names; "" is neutral. Each has a tint for light and one for dark in theme/frames.css. */
export const COLOURS = ["", "violet", "blue", "green", "yellow", "red"] as const;

export const PADDING = 24; // pixels between a group's edge and what it was made around
export const HEADING = 40; // pixels that a group's title takes

/** The size of a new note. */
export const NOTE = { width: 240, height: 120 };

type List = "groups" | "notes";

function withFrame<L extends List>(
  workflow: Workflow,
  list: L,
  id: string,
  change: Partial<Workflow[L][number]>,
): Workflow {
  const frames = workflow[list] as Frame[];
  const at = frames.findIndex((frame) => frame.id === id);
  const old = frames[at];
  if (!old) return workflow;
  const same = Object.entries(change).every(([key, value]) => old[key as keyof Frame] === value);
  if (same) return workflow;
  return { ...workflow, [list]: frames.with(at, { ...old, ...change }) };
}

export const setGroup = (workflow: Workflow, id: string, change: Partial<Group>) =>
  withFrame(workflow, "groups", id, change);

export const setNote = (workflow: Workflow, id: string, change: Partial<Note>) =>
  withFrame(workflow, "notes", id, change);

function fresh(frames: readonly Frame[], stem: string): string {
  return freshId(stem, new Set(frames.map((frame) => frame.id)));
}

/** The rectangle around boxes, with air and room for a title. */
export function around(boxes: readonly Box[]): Box {
  const x = Math.min(...boxes.map((box) => box.x)) - PADDING;
  const y = Math.min(...boxes.map((box) => box.y)) - PADDING - HEADING;
  const right = Math.max(...boxes.map((box) => box.x + box.width)) + PADDING;
  const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + PADDING;
  return { x, y, width: right - x, height: bottom - y };
}

export function addGroup(
  workflow: Workflow,
  box: Box,
  title: string,
): { workflow: Workflow; id: string } {
  const id = fresh(workflow.groups, "group");
  const group: Group = { id, title, colour: "", ...box };
  return { workflow: { ...workflow, groups: [...workflow.groups, group] }, id };
}

export function addNote(workflow: Workflow, at: Point): { workflow: Workflow; id: string } {
  const id = fresh(workflow.notes, "note");
  const note: Note = { id, text: "", colour: "yellow", ...at, ...NOTE };
  return { workflow: { ...workflow, notes: [...workflow.notes, note] }, id };
}

export function removeFrames(workflow: Workflow, list: List, ids: ReadonlySet<string>): Workflow {
  const frames = workflow[list] as Frame[];
  const kept = frames.filter((frame) => !ids.has(frame.id));
  return kept.length === frames.length ? workflow : { ...workflow, [list]: kept };
}

/** Whether the middle of a box lies in the group. */
export function holds(group: Frame, box: Box): boolean {
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const across = x >= group.x && x <= group.x + group.width;
  return across && y >= group.y && y <= group.y + group.height;
}
