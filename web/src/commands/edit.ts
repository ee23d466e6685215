/** Commands of the group "Edit": undo, the clipboard, selecting. */

import { activeWorkflow, useDocuments } from "../store/documents";
import { useView } from "../store/view";
import { thingsOf } from "../workflow/things";
import {
  copySelected,
  cutSelected,
  deleteSelected,
  duplicateSelected,
  pasteHere,
} from "./clipboard";
import type { Command } from "./command";

export const EDIT: readonly Command[] = [
  {
    id: "undo",
    title: "Undo",
    group: "Edit",
    keys: ["Mod+Z"],
    menu: "canvas",
    run: () => useDocuments.getState().undo(),
  },
  {
    id: "redo",
    title: "Redo",
    group: "Edit",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    menu: "canvas",
    run: () => useDocuments.getState().redo(),
  },
  {
    id: "cut",
    title: "Cut",
    group: "Edit",
    keys: ["Mod+X"],
    native: true,
    menu: "node",
    run: () => void cutSelected(),
  },
  {
    id: "copy",
    title: "Copy",
    group: "Edit",
    keys: ["Mod+C"],
    native: true,
    menu: ["node", "group", "note"],
    run: () => void copySelected(),
  },
  {
    id: "paste",
    title: "Paste",
    group: "Edit",
    keys: ["Mod+V"],
    native: true,
    menu: "both",
    run: () => void pasteHere(),
  },
  {
    id: "paste-wired",
    title: "Paste, keeping wires from outside",
    group: "Edit",
    keys: ["Mod+Shift+V"],
    native: true,
    run: () => void pasteHere(true),
  },
  {
    id: "duplicate",
    title: "Duplicate",
    group: "Edit",
    keys: ["Mod+D"],
    menu: ["node", "group", "note"],
    run: duplicateSelected,
  },
  {
    id: "delete",
    title: "Delete",
    group: "Edit",
    keys: ["Delete", "Backspace"],
    menu: ["node", "wire", "dot", "group", "note"],
    run: deleteSelected,
  },
  {
    id: "select-all",
    title: "Select all",
    group: "Edit",
    keys: ["Mod+A"],
    menu: "canvas",
    run: () => useView.getState().select(thingsOf(activeWorkflow())),
  },
];
