/** The open workflows: the single source of truth, with undo and redo in steps the size of a gesture. */

import { create } from "zustand";
import type { Workflow } from "../api/types";
import { emptyWorkflow } from "../workflow/model";
import { pruned } from "../workflow/reroutes";
import { withoutUnused } from "../workflow/carrying";
import { changed, levelOf, prefixOf, subgraphsOn } from "../workflow/subgraphs";
import { type UsedSeeds } from "../workflow/seeds";
import { t } from "../i18n/t";

const LONGEST_HISTORY = 500;
/** So many steps are let go of together: to forget the first means to write the whole document anew. */
const SPARE = 50;

export interface Document {
  id: string;
  name: string;
  /** Its name among the saved workflows, or null where it was never saved there. */
  savedAs: string | null;
  workflow: Workflow;
  past: Workflow[];
  future: Workflow[];
  /** The workflow as last saved or opened; another one shows the unsaved marker. */
  clean: Workflow;
  /** The gesture that the newest step of `past` belongs to. */
  gesture: string | null;
  used: UsedSeeds;
  /** The runs that were started from here, newest first. */
  runs: string[];
  /** Made by a newer program: it is shown, and not changed. */
  readOnly: boolean;
  /** The nodes whose inside is shown, the outermost first. */
  path: string[];
}

export type Change = (workflow: Workflow) => Workflow;

interface Documents {
  documents: Document[];
  active: string;
  /** Change what is shown of the active workflow; changes of one `gesture` are undone together. */
  edit(change: Change, gesture?: string): void;
  /** The same for the whole of it, whatever is shown. */
  editWhole(change: Change, gesture?: string): void;
  /** Change the active workflow without a step to undo (a drawn seed, a place for a node without one). */
  amend(change: Change, id?: string): void;
  undo(): void;
  redo(): void;
  open(
    workflow: Workflow,
    about?: Partial<Pick<Document, "name" | "savedAs" | "readOnly">>,
  ): string;
  close(id: string): void;
  activate(id: string): void;
  update(id: string, change: Partial<Document>): void;
  restore(documents: Document[], active: string): void;
}

let counter = 0;

/** A token for one gesture, so that its many changes become one step. */
export function newGesture(): string {
  return `gesture-${++counter}`;
}

function freshDocumentId(): string {
  return `${Date.now().toString(36)}-${++counter}`;
}

export function newDocument(
  workflow: Workflow,
  about: Partial<Pick<Document, "name" | "savedAs" | "readOnly">> = {},
): Document {
  return {
    id: freshDocumentId(),
    name: about.name ?? t("Untitled"),
    savedAs: about.savedAs ?? null,
    workflow,
    past: [],
    future: [],
    clean: workflow,
    gesture: null,
    used: {},
    runs: [],
    readOnly: about.readOnly ?? false,
    path: [],
  };
}

/** `document` after `change`, with the step that undoes it. */
export function edited(document: Document, change: Change, gesture?: string): Document {
  if (document.readOnly) return document;
  const workflow = withoutUnused(pruned(change(document.workflow)));
  if (workflow === document.workflow) return document;
  const goesOn = gesture !== undefined && gesture === document.gesture;
  const past = goesOn ? document.past : bounded([...document.past, document.workflow]);
  return { ...document, workflow, past, future: [], gesture: gesture ?? null };
}

function bounded(past: Workflow[]): Workflow[] {
  return past.length > LONGEST_HISTORY + SPARE ? past.slice(-LONGEST_HISTORY) : past;
}

export function undone(document: Document): Document {
  const workflow = document.past.at(-1);
  if (!workflow) return document;
  const future = [document.workflow, ...document.future];
  return { ...document, workflow, past: document.past.slice(0, -1), future, gesture: null };
}

export function redone(document: Document): Document {
  const [workflow, ...future] = document.future;
  if (!workflow) return document;
  return {
    ...document,
    workflow,
    past: [...document.past, document.workflow],
    future,
    gesture: null,
  };
}

const first = newDocument(emptyWorkflow());

export const useDocuments = create<Documents>()((set, get) => {
  const change = (id: string, how: (document: Document) => Document) =>
    set((state) => {
      const documents = state.documents.map((d) => (d.id === id ? how(d) : d));
      return documents.some((d, index) => d !== state.documents[index]) ? { documents } : state;
    });
  return {
    documents: [first],
    active: first.id,
    edit: (how, gesture) =>
      change(get().active, (d) => {
        const inside: Change = (workflow) =>
          changed(workflow, d.path, (level) => pruned(how(level)));
        return edited(d, inside, gesture);
      }),
    editWhole: (how, gesture) => change(get().active, (d) => edited(d, how, gesture)),
    amend: (how, id) =>
      change(id ?? get().active, (d) => {
        const workflow = how(d.workflow);
        if (workflow === d.workflow) return d;
        return { ...d, workflow, clean: d.clean === d.workflow ? workflow : d.clean };
      }),
    undo: () => change(get().active, undone),
    redo: () => change(get().active, redone),
    open: (workflow, about) => {
      const document = newDocument(workflow, about);
      set((state) => ({
        documents: [...state.documents.filter((d) => !isUntouched(d)), document],
        active: document.id,
      }));
      return document.id;
    },
    close: (id) =>
      set((state) => {
        const at = state.documents.findIndex((d) => d.id === id);
        const left = state.documents.filter((d) => d.id !== id);
        const documents = left.length ? left : [newDocument(emptyWorkflow())];
        const next = documents[Math.min(at, documents.length - 1)] as Document;
        return { documents, active: state.active === id ? next.id : state.active };
      }),
    activate: (active) => set({ active }),
    update: (id, about) => change(id, (d) => ({ ...d, ...about })),
    restore: (documents, active) => set({ documents, active }),
  };
});

/** An empty document that nobody has used makes way for one that is opened. */
function isUntouched(document: Document): boolean {
  return (
    Object.keys(document.workflow.nodes).length === 0 &&
    document.past.length === 0 &&
    !document.savedAs
  );
}

type State = Pick<Documents, "documents" | "active">;

export function activeDocument(state: State): Document {
  return state.documents.find((d) => d.id === state.active) ?? (state.documents[0] as Document);
}

const shown = new WeakMap<Document, Document>();

/** The document with the level that is shown in the workflow's place; itself where that is all of it. */
function atLevel(document: Document): Document {
  if (document.path.length === 0) return document;
  const known = shown.get(document);
  if (known) return known;
  const made = { ...document, workflow: levelOf(document.workflow, document.path) };
  shown.set(document, made);
  return made;
}

/** What is shown of the active workflow: all of it, or the inside of a node. */
export const activeWorkflow = (): Workflow =>
  atLevel(activeDocument(useDocuments.getState())).workflow;
/** The whole of the active workflow. */
export const wholeWorkflow = (): Workflow => activeDocument(useDocuments.getState()).workflow;
/** The path of what is shown, as far as it leads anywhere. */
export function pathOf(document: Document): string[] {
  const { path, workflow } = document;
  return path.length ? path.slice(0, subgraphsOn(workflow, path).length) : path;
}
/** What the names of the shown nodes begin with in what the server says: "up/". */
export const activePrefix = (): string => prefixOf(pathOf(activeDocument(useDocuments.getState())));
export const usePrefix = (): string =>
  useDocuments((state) => prefixOf(pathOf(activeDocument(state))));
/** What is shown, as a key: the document, and the path in it. */
export function levelKey(document: Document): string {
  const path = pathOf(document);
  return path.length ? `${document.id}:${path.join("/")}` : document.id;
}
export const edit = (change: Change, gesture?: string) =>
  useDocuments.getState().edit(change, gesture);

export const editWhole = (change: Change, gesture?: string) =>
  useDocuments.getState().editWhole(change, gesture);

/** Of the active document; its `workflow` is what is shown of it. */
export function useActive<T>(pick: (document: Document) => T): T {
  return useDocuments((state) => pick(atLevel(activeDocument(state))));
}

/** The same with the whole workflow. */
export function useWhole<T>(pick: (document: Document) => T): T {
  return useDocuments((state) => pick(activeDocument(state)));
}

export function isUnsaved(document: Document): boolean {
  return document.workflow !== document.clean;
}
