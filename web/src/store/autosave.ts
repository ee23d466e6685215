/** Keep the open documents in the browser, so that a reload loses nothing. */

import type { Workflow } from "../api/types";
import { normalised } from "../workflow/model";
import type { UsedSeeds } from "../workflow/seeds";
import { type Viewport, viewports } from "./view";
import { type Document, isUnsaved, newDocument, useDocuments } from "./documents";

const KEY = "latent-loom.documents";
const PAUSE = 400; // milliseconds after the last change

interface Kept {
  name: string;
  savedAs: string | null;
  workflow: Workflow;
  /** The workflow as last saved, where the open one differs. */
  clean: Workflow | null;
  used: UsedSeeds;
  runs: string[];
  viewport?: Viewport;
}

export interface Session {
  documents: Kept[];
  active: number;
}

export function toSession(documents: readonly Document[], active: string): Session {
  return {
    documents: documents.map((d) => ({
      name: d.name,
      savedAs: d.savedAs,
      workflow: d.workflow,
      clean: isUnsaved(d) ? d.clean : null,
      used: d.used,
      runs: d.runs,
      viewport: viewports.get(d.id),
    })),
    active: Math.max(
      0,
      documents.findIndex((d) => d.id === active),
    ),
  };
}

export function fromSession(session: Session): { documents: Document[]; active: string } | null {
  const documents = session.documents.map((kept) => {
    const workflow = normalised(kept.workflow);
    const document = newDocument(workflow, { name: kept.name, savedAs: kept.savedAs });
    const clean = kept.clean ?? workflow;
    if (kept.viewport) viewports.set(document.id, kept.viewport);
    return { ...document, clean, used: kept.used ?? {}, runs: kept.runs ?? [] };
  });
  const active = documents[session.active] ?? documents[0];
  return active ? { documents, active: active.id } : null;
}

/** The documents of the last visit, or null: there was none, or what was kept cannot be read. */
export function restored(): ReturnType<typeof fromSession> {
  const text = localStorage.getItem(KEY);
  if (!text) return null;
  try {
    const found = fromSession(JSON.parse(text) as Session);
    const empty = found?.documents.every((d) => Object.keys(d.workflow.nodes).length === 0);
    return empty ? null : found;
  } catch {
    return null; // from an older program, or cut short by a full disk
  }
}

function keep(): void {
  const { documents, active } = useDocuments.getState();
  try {
    localStorage.setItem(KEY, JSON.stringify(toSession(documents, active)));
  } catch {
    // The browser's store is full or closed to us: saving by hand still works.
  }
}

export function watchForAutosave(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  useDocuments.subscribe(() => {
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
  });
  window.addEventListener("pagehide", keep);
}
