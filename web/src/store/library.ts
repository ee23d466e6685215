/** The library of subgraphs, kept on the server, and subgraphs as files. */

import { useMemo } from "react";
import { create } from "zustand";
import { middle } from "../canvas/instance";
import { api, ApiError } from "../api/client";
import type { KeptSubgraph, Workflow } from "../api/types";
import { corner, cut, fromText, paste } from "../workflow/clipboard";
import type { Point } from "../workflow/edits";
import { type Definitions, normalised, titleOf } from "../workflow/model";
import { IN_TYPE, OUT_TYPE, subgraphOf } from "../workflow/subgraphs";
import { definitions, patiently, useCatalogue } from "./catalogue";
import { activeWorkflow, edit } from "./documents";
import { notify, ui } from "./ui";
import { useView } from "./view";
import { t } from "../i18n/t";

/** What the types of library entries begin with, where node types are listed. */
export const LIBRARY = "library:";

export const useLibrary = create<{ kept: KeptSubgraph[] }>()(() => ({ kept: [] }));

function told(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  notify("error", error.message);
}

export async function loadLibrary(): Promise<void> {
  useLibrary.setState({ kept: (await patiently(api.subgraphs)).subgraphs });
}

/** Put the node of a library entry, or of a file, on the canvas, with its subgraphs. */
export function insert(raw: Workflow, at: Point = middle()): string | null {
  const piece = normalised(raw);
  const from = corner(piece);
  const snap = (value: number) => Math.round(value / 8) * 8;
  let ids: string[] = [];
  edit((workflow) => {
    const pasted = paste(workflow, piece, { x: snap(at.x - from.x), y: snap(at.y - from.y) });
    ids = pasted.names;
    return pasted.workflow;
  });
  useView.getState().select(ids);
  return ids[0] ?? null;
}

const typeOf = (name: string) => LIBRARY + encodeURIComponent(name);

/** The library's entries as node types, to be listed beside the others. */
export function keptDefinitions(kept: readonly KeptSubgraph[]): Definitions {
  const listed = kept.flatMap(({ name, definition }) => {
    if (!definition) return [];
    const type = typeOf(name);
    return [[type, { ...definition, type, title: name, category: t("your subgraphs") }] as const];
  });
  return Object.fromEntries(listed);
}

/** The node types to choose from: those of the library too, and not the interface inside a subgraph. */
export function useListed(): Definitions {
  const known = useCatalogue((state) => state.definitions);
  const kept = useLibrary((state) => state.kept);
  return useMemo(() => {
    const { [IN_TYPE]: _in, [OUT_TYPE]: _out, ...rest } = known;
    return { ...rest, ...keptDefinitions(kept) };
  }, [known, kept]);
}

export function insertKept(type: string, at?: Point): string | null {
  const kept = useLibrary.getState().kept.find((entry) => typeOf(entry.name) === type);
  return kept?.workflow ? insert(kept.workflow, at) : null;
}

/** The node with its subgraphs as a workflow, without wires; null where it stands for none. */
function entryOf(id: string): { name: string; workflow: Workflow } | null {
  const workflow = activeWorkflow();
  const node = workflow.nodes[id];
  if (!node || subgraphOf(node.type) === null) return null;
  const piece = cut(workflow, [id]);
  piece.nodes[id] = { ...node, inputs: {} };
  return { name: titleOf(node, definitions()[node.type]), workflow: piece };
}

export function saveToLibrary(id: string): void {
  const entry = entryOf(id);
  if (!entry) return;
  const keep = async (typed: string) => {
    const name = typed.trim();
    if (!name) return;
    try {
      await api.keepSubgraph(name, entry.workflow);
      notify("info", t('Kept "{name}" in the library.', { name }));
      await loadLibrary();
    } catch (error) {
      told(error);
    }
  };
  ui({
    dialog: {
      title: t("Keep in the library"),
      text: t("It can then be placed in any workflow. One of the same name is replaced."),
      value: entry.name,
      confirm: t("Keep"),
      done: (typed) => void keep(typed),
    },
  });
}

export function removeKept(name: string): void {
  ui({
    dialog: {
      title: t('Delete "{name}" from the library?', { name }),
      text: t("Workflows that hold it keep it."),
      confirm: t("Delete"),
      danger: true,
      done: () => void api.removeSubgraph(name).then(loadLibrary).catch(told),
    },
  });
}

/** Hand the subgraph to the browser as a file. */
export function exportSubgraph(id: string): void {
  const entry = entryOf(id);
  if (!entry) return;
  const text = `${JSON.stringify(entry.workflow, null, 2)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${entry.name.replace(/[^\p{L}\p{N}_ .-]/gu, "_") || "subgraph"}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Let the person choose a file, and keep the subgraph in it. */
export function importSubgraph(): void {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.accept = ".json,application/json";
  chooser.onchange = async () => {
    const file = chooser.files?.[0];
    const piece = file && fromText(await file.text());
    if (!file) return;
    if (!piece) return notify("error", t("{name} holds no subgraph.", { name: file.name }));
    try {
      await api.keepSubgraph(file.name.replace(/\.json$/i, ""), piece);
      await loadLibrary();
    } catch (error) {
      told(error);
    }
  };
  chooser.click();
}
