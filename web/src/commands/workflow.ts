/** Commands of the group "Workflow": opening, saving and closing workflows. */

import { activeDocument, useDocuments } from "../store/documents";
import { askName, chooseFile, closeDocument, download, newWorkflow, save } from "../store/files";
import { loadDefinitions, loadModels, loadWorkflows } from "../store/catalogue";
import { ui } from "../store/ui";
import type { Command } from "./command";
import { t } from "../i18n/t";

export const WORKFLOW: readonly Command[] = [
  {
    id: "versions",
    title: t("Earlier versions…"),
    group: "Workflow",
    keys: ["Shift+H"],
    run: () => ui({ sheet: { kind: "versions" } }),
  },
  {
    id: "refresh",
    title: t("Look for new nodes, models and workflows"),
    group: "Workflow",
    keys: ["R"],
    run: () => void Promise.all([loadDefinitions(), loadModels(), loadWorkflows()]),
  },
  { id: "new", title: t("New workflow"), group: "Workflow", keys: ["Alt+N"], run: newWorkflow },
  {
    id: "open",
    title: t("Open a file…"),
    group: "Workflow",
    keys: ["Mod+O"],
    whileTyping: true,
    run: chooseFile,
  },
  {
    id: "save",
    title: t("Save"),
    group: "Workflow",
    keys: ["Mod+S"],
    whileTyping: true,
    run: save,
  },
  {
    id: "save-as",
    title: t("Save as…"),
    group: "Workflow",
    keys: ["Mod+Shift+S"],
    whileTyping: true,
    run: askName,
  },
  { id: "download", title: t("Download as JSON"), group: "Workflow", run: download },
  {
    id: "close",
    title: t("Close the tab"),
    group: "Workflow",
    keys: ["Alt+W"],
    run: () => closeDocument(activeDocument(useDocuments.getState()).id),
  },
];
