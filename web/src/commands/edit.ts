/** Commands of the group "Edit": undo, the clipboard, selecting. */

import { activeWorkflow, edit, useDocuments } from "../store/documents";
import { useView } from "../store/view";
import { removeThings, thingsOf } from "../workflow/things";
import {
  copySelected,
  cutSelected,
  deleteSelected,
  duplicateSelected,
  pasteHere,
} from "./clipboard";
import type { Command } from "./command";
import { t } from "../i18n/t";

export const EDIT: readonly Command[] = [
  {
    id: "undo",
    title: t("Undo"),
    group: "Edit",
    keys: ["Mod+Z"],
    menu: "canvas",
    run: () => useDocuments.getState().undo(),
  },
  {
    id: "redo",
    title: t("Redo"),
    group: "Edit",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    menu: "canvas",
    run: () => useDocuments.getState().redo(),
  },
  {
    id: "cut",
    title: t("Cut"),
    group: "Edit",
    keys: ["Mod+X"],
    native: true,
    menu: "node",
    run: () => void cutSelected(),
  },
  {
    id: "copy",
    title: t("Copy"),
    group: "Edit",
    keys: ["Mod+C"],
    native: true,
    menu: ["node", "group", "note"],
    run: () => void copySelected(),
  },
  {
    id: "paste",
    title: t("Paste"),
    group: "Edit",
    keys: ["Mod+V"],
    native: true,
    menu: "both",
    run: () => void pasteHere(),
  },
  {
    id: "paste-wired",
    title: t("Paste, keeping wires from outside"),
    group: "Edit",
    keys: ["Mod+Shift+V"],
    native: true,
    run: () => void pasteHere(true),
  },
  {
    id: "duplicate",
    title: t("Duplicate"),
    group: "Edit",
    keys: ["Mod+D"],
    menu: ["node", "group", "note"],
    run: duplicateSelected,
  },
  {
    id: "delete",
    title: t("Delete"),
    group: "Edit",
    keys: ["Delete", "Backspace"],
    menu: ["node", "wire", "dot", "group", "note"],
    run: deleteSelected,
  },
  {
    id: "clear",
    title: t("Clear the canvas"),
    group: "Edit",
    keys: ["Mod+Backspace"],
    run: () => edit((workflow) => removeThings(workflow, thingsOf(workflow))),
  },
  {
    id: "select-all",
    title: t("Select all"),
    group: "Edit",
    keys: ["Mod+A"],
    menu: "canvas",
    run: () => useView.getState().select(thingsOf(activeWorkflow())),
  },
];
