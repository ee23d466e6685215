/** Cut, copy, paste, duplicate and delete what is selected. */

import { ofEdgeId } from "../canvas/flow";
import { middle, toCanvas } from "../canvas/instance";
import type { Workflow } from "../api/types";
import { activeWorkflow, edit } from "../store/documents";
import { openFile, openWorkflow } from "../store/files";
import { notify } from "../store/ui";
import { useView } from "../store/view";
import { corner, cut, fromText, paste, toText } from "../workflow/clipboard";
import { disconnect, type Point, removeNodes } from "../workflow/edits";

let pointer: Point | null = null;
let lastCopy = "";

/** Where the pointer is over the canvas; null elsewhere. Pasted nodes appear there. */
export function trackPointer(event: PointerEvent): void {
  const over = (event.target as Element | null)?.closest?.(".canvas");
  pointer = over ? { x: event.clientX, y: event.clientY } : null;
}

function selectedText(): string | null {
  const { selected } = useView.getState();
  return selected.size ? toText(cut(activeWorkflow(), selected)) : null;
}

export function deleteSelected(): boolean {
  const { selected, selectedWires, select } = useView.getState();
  if (selected.size + selectedWires.size === 0) return false;
  edit((workflow) => {
    let result = workflow;
    for (const id of selectedWires) {
      const { node, socket } = ofEdgeId(id);
      result = disconnect(result, node, socket);
    }
    return removeNodes(result, selected);
  });
  select([]);
  return true;
}

export function duplicateSelected(): void {
  const { selected, select } = useView.getState();
  if (selected.size === 0) return;
  const piece = cut(activeWorkflow(), selected);
  let ids: string[] = [];
  edit((workflow) => {
    const pasted = paste(workflow, piece, { x: 32, y: 32 });
    ids = pasted.ids;
    return pasted.workflow;
  });
  select(ids);
}

function pastePiece(piece: Workflow): void {
  const from = corner(piece);
  const to = pointer ? toCanvas(pointer) : middle();
  const snap = (value: number) => Math.round(value / 8) * 8;
  let ids: string[] = [];
  edit((workflow) => {
    const pasted = paste(workflow, piece, { x: snap(to.x - from.x), y: snap(to.y - from.y) });
    ids = pasted.ids;
    return pasted.workflow;
  });
  useView.getState().select(ids);
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

export async function pasteHere(): Promise<void> {
  const text = (await navigator.clipboard?.readText().catch(() => "")) || lastCopy;
  const piece = fromText(text);
  if (piece) pastePiece(piece);
  else notify("info", "There are no nodes on the clipboard. Copy some with Ctrl+C first.");
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
  if (Object.keys(activeWorkflow().nodes).length === 0) openWorkflow(piece, { name: "Pasted" });
  else pastePiece(piece);
}

function isTextSelected(): boolean {
  return (getSelection()?.toString() ?? "") !== "";
}
