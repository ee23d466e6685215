/** Commands for subgraphs: make one node of several, go inside, come out, and the library. */

import type { Workflow } from "../api/types";
import { definitions } from "../store/catalogue";
import { activeDocument, activeWorkflow, editWhole, pathOf, useDocuments } from "../store/documents";
import { enter, leave } from "../store/levels";
import { exportSubgraph, importSubgraph, saveToLibrary } from "../store/library";
import { notify, ui } from "../store/ui";
import { useView } from "../store/view";
import { pinsPacked, pinsUnpacked } from "../workflow/movedPins";
import { pack, type Packed, unpack } from "../workflow/packing";
import { pruned } from "../workflow/reroutes";
import { changed, subgraphOf } from "../workflow/subgraphs";
import { selected } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

const DRAWN = 100; // milliseconds in which a new node is drawn, so that its field can be typed in

/** The chosen node that stands for a subgraph, if it is the only chosen one. */
function chosen(): string | null {
  const ids = selected();
  const [id] = ids;
  const stands = id !== undefined && subgraphOf(activeWorkflow().nodes[id]?.type) !== null;
  return ids.length === 1 && stands ? id : null;
}

const standsForOne = (): boolean => chosen() !== null;

function told(): false {
  notify("info", t("Choose one node that stands for a subgraph."));
  return false;
}

/** Change what is shown, and let the app view's pins follow: they name nodes of the whole workflow. */
function editWithPins(
  change: (level: Workflow) => Packed | null,
  follow: (change: { before: Workflow; after: Workflow; path: string[] }, to: Packed) => Workflow,
): Packed | null {
  let made: Packed | null = null;
  const path = pathOf(activeDocument(useDocuments.getState()));
  editWhole((before) => {
    const after = changed(before, path, (level) => {
      made = change(level);
      return made ? pruned(made.workflow) : level;
    });
    return made ? follow({ before, after, path }, made) : before;
  });
  return made;
}

function packSelected(): void {
  const chosenOnes = new Set(selected());
  const packed = editWithPins(
    (level) => pack(level, chosenOnes, t("Subgraph")),
    (change, { ids, names }) => pinsPacked(change, new Set(names.keys()), ids[0] as string),
  );
  const [id] = packed?.ids ?? [];
  if (!id) return notify("info", t("Choose the nodes to make one of."));
  useView.getState().select([id]);
  setTimeout(() => ui({ renaming: id }), DRAWN);
}

function unpackSelected(): void | false {
  const id = chosen();
  if (!id) return told();
  const types = definitions();
  const unpacked = editWithPins(
    (level) => unpack(level, id),
    (change, { names }) =>
      pinsUnpacked(change, id, names, (type) => types[type]?.output ?? false),
  );
  useView.getState().select(unpacked?.ids ?? []);
}

export const SUBGRAPHS: readonly Command[] = [
  {
    id: "pack",
    title: t("Make one node of them"),
    group: "Nodes",
    keys: ["Mod+Shift+E", "Mod+Shift+G"],
    menu: "node",
    run: packSelected,
  },
  {
    id: "enter",
    title: t("Open the subgraph"),
    group: "Nodes",
    keys: ["Enter"],
    menu: "node",
    fits: standsForOne,
    run: () => {
      const id = chosen();
      return id ? enter(id) : false;
    },
  },
  {
    id: "leave",
    title: t("Leave the subgraph"),
    group: "Nodes",
    menu: "canvas",
    fits: () => pathOf(activeDocument(useDocuments.getState())).length > 0,
    run: () => void leave(),
  },
  {
    id: "unpack",
    title: t("Unpack the subgraph"),
    group: "Nodes",
    menu: "node",
    fits: standsForOne,
    run: () => void unpackSelected(),
  },
  {
    id: "keep-subgraph",
    title: t("Keep the subgraph in the library…"),
    group: "Nodes",
    menu: "node",
    fits: standsForOne,
    run: () => {
      const id = chosen();
      if (id) saveToLibrary(id);
      else told();
    },
  },
  {
    id: "export-subgraph",
    title: t("Download the subgraph as JSON"),
    group: "Nodes",
    run: () => {
      const id = chosen();
      if (id) exportSubgraph(id);
      else told();
    },
  },
  {
    id: "import-subgraph",
    title: t("Add a subgraph from a file to the library…"),
    group: "Nodes",
    run: importSubgraph,
  },
];
