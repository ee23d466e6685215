/** Commands of the group "Workflow": opening, saving and closing workflows. */

import { activeDocument, useDocuments } from "../store/documents";
import { askName, chooseFile, closeDocument, download, newWorkflow, save } from "../store/files";
import type { Command } from "./command";

export const WORKFLOW: readonly Command[] = [
  { id: "new", title: "New workflow", group: "Workflow", keys: ["Alt+N"], run: newWorkflow },
  {
    id: "open",
    title: "Open a file…",
    group: "Workflow",
    keys: ["Mod+O"],
    whileTyping: true,
    run: chooseFile,
  },
  { id: "save", title: "Save", group: "Workflow", keys: ["Mod+S"], whileTyping: true, run: save },
  {
    id: "save-as",
    title: "Save as…",
    group: "Workflow",
    keys: ["Mod+Shift+S"],
    whileTyping: true,
    run: askName,
  },
  { id: "download", title: "Download as JSON", group: "Workflow", run: download },
  {
    id: "close",
    title: "Close the tab",
    group: "Workflow",
    keys: ["Alt+W"],
    run: () => closeDocument(activeDocument(useDocuments.getState()).id),
  },
];
