/** Open, save and download workflows. A workflow that is opened never runs by itself. */

import { api, ApiError } from "../api/client";
import type { Workflow } from "../api/types";
import { placeMissing } from "../workflow/arrange";
import { emptyWorkflow, normalised, VERSION } from "../workflow/model";
import { loadWorkflows, patiently } from "./catalogue";
import { activeDocument, useDocuments } from "./documents";
import { notify, ui } from "./ui";
import { t } from "../i18n/t";

export const DEFAULT_TEMPLATE = "text-to-image";
const ESTIMATE = { width: 280, height: 320 }; // a node that was never drawn

/** Tell the person about a server's refusal; any other error is a fault of ours and goes on. */
function told(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  notify("error", error.message);
}

export function openWorkflow(
  raw: Workflow,
  about: { name: string; savedAs?: string | null },
): string {
  const workflow = placeMissing(normalised(raw), () => ESTIMATE);
  const readOnly = workflow.version > VERSION;
  if (readOnly)
    notify(
      "info",
      t("This workflow was made by a newer program. It is shown and cannot be changed."),
    );
  return useDocuments.getState().open(workflow, { ...about, readOnly });
}

export function newWorkflow(): void {
  useDocuments.getState().open(emptyWorkflow(), { name: t("Untitled") });
}

export async function openTemplate(name: string, title = t("Text to image")): Promise<void> {
  try {
    openWorkflow((await patiently(() => api.open("templates", name))).workflow, { name: title });
  } catch (error) {
    told(error);
  }
}

/** The workflow of an app's address: a saved one, else a template of that name. */
export async function openForApp(name: string): Promise<void> {
  try {
    const { saved, templates } = await patiently(api.workflows);
    const isSaved = saved.some((entry) => entry.name === name);
    const template = templates.find((entry) => entry.name === name);
    const area = template && !isSaved ? "templates" : "saved";
    const { workflow } = await api.open(area, name);
    openWorkflow(workflow, { name: isSaved ? name : (template?.title ?? name) });
  } catch (error) {
    told(error);
  }
}

/** Open a saved workflow, or go to its tab where it is open already. */
export async function openSaved(name: string): Promise<void> {
  const { documents, activate } = useDocuments.getState();
  const open = documents.find((document) => document.savedAs === name);
  if (open) return activate(open.id);
  try {
    openWorkflow((await api.open("saved", name)).workflow, { name, savedAs: name });
  } catch (error) {
    told(error);
  }
}

/** Open the workflow in a JSON file or a picture. */
export async function openFile(file: File): Promise<void> {
  try {
    const { workflow } = await api.read(file, file.name);
    openWorkflow(workflow, { name: file.name.replace(/\.[^.]+$/, "") });
  } catch (error) {
    told(error);
  }
}

export async function openRun(id: string): Promise<void> {
  try {
    const run = await api.runOf(id);
    if (!run.workflow) return notify("error", t("This run did not keep its workflow."));
    const document = openWorkflow(run.workflow, { name: t("From a picture") });
    useDocuments.getState().update(document, { runs: [id] });
    ui({ viewer: null, sheet: null });
  } catch (error) {
    told(error);
  }
}

/** Let the person choose a file of this machine. */
export function chooseFile(): void {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.accept = ".json,.png,.webp,.jpg,.jpeg,.avif,application/json";
  chooser.onchange = () => {
    const file = chooser.files?.[0];
    if (file) void openFile(file);
  };
  chooser.click();
}

async function saveAs(name: string): Promise<void> {
  const document = activeDocument(useDocuments.getState());
  const { workflow } = document;
  try {
    await api.save(name, workflow);
    useDocuments.getState().update(document.id, { name, savedAs: name, clean: workflow });
    notify("info", t('Saved as "{name}".', { name }));
    await loadWorkflows();
  } catch (error) {
    told(error);
  }
}

export function save(): void {
  const { savedAs } = activeDocument(useDocuments.getState());
  if (savedAs) void saveAs(savedAs);
  else askName();
}

export function askName(): void {
  const { name } = activeDocument(useDocuments.getState());
  ui({
    dialog: {
      title: t("Save workflow"),
      value: name,
      confirm: t("Save"),
      done: (typed) => void (typed.trim() && saveAs(typed.trim())),
    },
  });
}

export function removeSaved(name: string): void {
  ui({
    dialog: {
      title: t('Delete "{name}"?', { name }),
      text: t("The saved workflow is deleted from disk. An open tab of it stays."),
      confirm: t("Delete"),
      danger: true,
      done: () => void api.remove(name).then(loadWorkflows).catch(told),
    },
  });
}

/** Hand the workflow to the browser as a file. */
export function download(): void {
  const { name, workflow } = activeDocument(useDocuments.getState());
  const text = `${JSON.stringify(workflow, null, 2)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${name.replace(/[^\p{L}\p{N}_ .-]/gu, "_") || "workflow"}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function closeDocument(id: string): void {
  const { documents, close } = useDocuments.getState();
  const document = documents.find((d) => d.id === id);
  if (!document) return;
  const losesWork =
    document.workflow !== document.clean && Object.keys(document.workflow.nodes).length > 0;
  if (!losesWork) return close(id);
  ui({
    dialog: {
      title: t('Close "{name}"?', { name: document.name }),
      text: t("It has changes that are not saved."),
      confirm: t("Close without saving"),
      danger: true,
      done: () => close(id),
    },
  });
}
