/** Cut, copy, paste, duplicate and delete what is selected. */

import { ofEdgeId } from "../canvas/flow";
import { middle, toCanvas } from "../canvas/instance";
import type { Workflow } from "../api/types";
import { activeWorkflow, edit } from "../store/documents";
import { openFile, openWorkflow } from "../store/files";
import { notify } from "../store/ui";
import { useView } from "../store/view";
import { membersIn } from "./framing";
import { corner, cut, fromText, paste, toText } from "../workflow/clipboard";
import { disconnect, type Point } from "../workflow/edits";
import { wiresThrough } from "../workflow/reroutes";
import { ofThing, removeThings, thingsOf } from "../workflow/things";
import { t } from "../i18n/t";

let pointer: Point | null = null;
let lastCopy = "";
/** Whether Shift was down at the last key: then Ctrl+V means to keep wires from outside. */
let shiftHeld = false;

/** The browser's paste event does not say which keys were down. */
export function trackKeys(event: KeyboardEvent): void {
  shiftHeld = event.shiftKey;
}

/** Where the pointer is over the canvas; null elsewhere. Pasted nodes appear there. */
export function trackPointer(event: PointerEvent): void {
  const over = (event.target as Element | null)?.closest?.(".canvas");
  pointer = over ? { x: event.clientX, y: event.clientY } : null;
}

/** What is chosen, with what lies in chosen groups. */
function chosen(): Set<string> {
  const names = [...useView.getState().selected];
  const members = names.flatMap((name) => {
    const { kind, id } = ofThing(name);
    return kind === "group" ? membersIn(id) : [];
  });
  return new Set([...names, ...members]);
}

function selectedText(): string | null {
  const piece = cut(activeWorkflow(), chosen());
  const empty = thingsOf(piece).length === 0;
  return empty ? null : toText(piece);
}

export function deleteSelected(): boolean {
  const { selected, selectedWires, select } = useView.getState();
  if (selected.size + selectedWires.size === 0) return false;
  edit((workflow) => {
    let result = workflow;
    for (const id of selectedWires) {
      result = cutWire(result, id);
    }
    return removeThings(result, selected);
  });
  select([]);
  return true;
}

/** Take away a wire, or all wires through a piece that they share. */
function cutWire(workflow: Workflow, edge: string): Workflow {
  const { node, socket } = ofEdgeId(edge);
  const { kind, id } = ofThing(node);
  const ends = kind === "dot" ? wiresThrough(workflow, id) : [{ node, socket }];
  return ends.reduce((done, end) => disconnect(done, end.node, end.socket), workflow);
}

export function duplicateSelected(): void {
  const { selected, select } = useView.getState();
  if (selected.size === 0) return;
  const piece = cut(activeWorkflow(), chosen());
  let names: string[] = [];
  edit((workflow) => {
    const pasted = paste(workflow, piece, { x: 32, y: 32 });
    names = pasted.names;
    return pasted.workflow;
  });
  select(names);
}

/** Put the piece where the pointer is; `withWires` keeps its wires from nodes that were not copied. */
function pastePiece(piece: Workflow, withWires: boolean): void {
  const from = corner(piece);
  const to = pointer ? toCanvas(pointer) : middle();
  const snap = (value: number) => Math.round(value / 8) * 8;
  const by = { x: snap(to.x - from.x), y: snap(to.y - from.y) };
  let names: string[] = [];
  edit((workflow) => {
    const pasted = paste(workflow, piece, by, withWires);
    names = pasted.names;
    return pasted.workflow;
  });
  useView.getState().select(names);
}

export async function copySelected(): Promise<void> {
  const text = selectedText();
  if (!text) return;
  lastCopy = text;
  await navigator.clipboard?.writeText(text).catch(() => undefined); // refused: paste here still works
}

export async function cutSelected(): Promise<void> {
  await copySelected();
  deleteSelected();
}

export async function pasteHere(withWires = false): Promise<void> {
  const text = (await navigator.clipboard?.readText().catch(() => "")) || lastCopy;
  const piece = fromText(text);
  if (piece) pastePiece(piece, withWires);
  else notify("info", t("There are no nodes on the clipboard. Copy some with Ctrl+C first."));
}

/** The browser's clipboard events, while no text is being edited. */
export function onCopy(event: ClipboardEvent): void {
  const text = selectedText();
  if (!text || isTextSelected()) return;
  event.preventDefault();
  lastCopy = text;
  event.clipboardData?.setData("text/plain", text);
}

export function onCut(event: ClipboardEvent): void {
  onCopy(event);
  if (event.defaultPrevented) deleteSelected();
}

export function onPaste(event: ClipboardEvent): void {
  const file = event.clipboardData?.files[0];
  if (file) {
    event.preventDefault();
    void openFile(file);
    return;
  }
  const piece = fromText(event.clipboardData?.getData("text/plain") ?? "");
  if (!piece) return;
  event.preventDefault();
  if (Object.keys(activeWorkflow().nodes).length === 0) openWorkflow(piece, { name: t("Pasted") });
  else pastePiece(piece, shiftHeld);
}

function isTextSelected(): boolean {
  return (getSelection()?.toString() ?? "") !== "";
}
