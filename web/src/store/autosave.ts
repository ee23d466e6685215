/** Keep the open documents in the browser with every step of undo, so that nothing is lost with the page. */

import type { Workflow } from "../api/types";
import type { Patch } from "../workflow/patch";
import { answered, database, over, STORES } from "./database";
import { type Document, levelKey, useDocuments } from "./documents";
import { documentOf, type Kept, statesOf, type Writing, writingOf } from "./journal";
import { notify } from "./ui";
import { viewports } from "./view";
import { t } from "../i18n/t";

const PAUSE = 100; // milliseconds between two writings while a gesture goes on
const PATIENCE = 3000; // milliseconds that the browser's database may take to open
const MOST_WINDOWS = 20;

interface Session {
  documents: string[];
  active: string;
}

export interface Restored {
  documents: Document[];
  active: string;
}

let session = 1;
/** The states of each document as they were written last. */
const written = new Map<string, { document: Document; states: Workflow[] }>();

/** Take the first number that no other window of this browser holds, and hold it until the page is gone. */
async function takeNumber(): Promise<number> {
  const own = Number(sessionStorage.getItem("latent-loom.window")) || 0;
  const numbers = Array.from({ length: MOST_WINDOWS }, (_, index) => index + 1);
  if (!navigator.locks) return 1; // a page without encryption: two windows of it share a session
  for (const number of own ? [own, ...numbers] : numbers) {
    if (await held(number)) {
      sessionStorage.setItem("latent-loom.window", String(number));
      return number;
    }
  }
  return MOST_WINDOWS + 1;
}

function held(number: number): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(`latent-loom.window-${number}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise<void>(() => {}) : undefined; // held for as long as the page lives
    });
  });
}

/** The documents of the last visit with their undo, or null where there was none. */
export async function restored(): Promise<Restored | null> {
  session = await takeNumber();
  const db = await database();
  const read = db.transaction(Object.values(STORES));
  const last = (await answered(read.objectStore(STORES.sessions).get(session))) as
    Session | undefined;
  const found: Document[] = [];
  for (const id of last?.documents ?? []) {
    const range = IDBKeyRange.bound([id, 0], [id, Infinity]);
    const [kept, base, steps] = await Promise.all([
      answered(read.objectStore(STORES.documents).get(id)) as Promise<Kept | undefined>,
      answered(read.objectStore(STORES.bases).get(id)) as Promise<Workflow | undefined>,
      answered(read.objectStore(STORES.steps).getAll(range)) as Promise<Patch[]>,
    ]);
    if (!kept || !base) continue;
    const document = documentOf(kept, base, steps);
    if (kept.viewport) viewports.set(document.id, kept.viewport);
    if (kept.inside) viewports.set(levelKey(document), kept.inside);
    written.set(id, { document, states: statesOf(document) });
    found.push(document);
  }
  const empty = found.every((d) => Object.keys(d.workflow.nodes).length === 0 && !d.past.length);
  if (empty) return null;
  const active = found.find(({ id }) => id === last?.active) ?? found[0];
  return active ? { documents: found, active: active.id } : null;
}

/** Like `restored`, but a database that does not answer or cannot be read keeps nobody waiting. */
export async function restoredSoon(): Promise<Restored | null> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error("The browser's database does not answer.")), PATIENCE),
  );
  try {
    const found = await Promise.race([restored(), late]);
    watchForAutosave();
    return found;
  } catch {
    notify("error", t("This browser keeps nothing here: save your work with Ctrl+S."));
    return null;
  }
}

function put(transaction: IDBTransaction, { kept, base, steps, end }: Writing): void {
  const { id } = kept;
  transaction.objectStore(STORES.documents).put(kept, id);
  if (base) transaction.objectStore(STORES.bases).put(base, id);
  const store = transaction.objectStore(STORES.steps);
  for (const [number, patch] of steps) store.put(patch, [id, number]);
  store.delete(IDBKeyRange.bound([id, end], [id, Infinity]));
}

function forget(transaction: IDBTransaction, id: string): void {
  transaction.objectStore(STORES.documents).delete(id);
  transaction.objectStore(STORES.bases).delete(id);
  transaction.objectStore(STORES.steps).delete(IDBKeyRange.bound([id, 0], [id, Infinity]));
}

/** Write what changed since the last time, all of it or nothing. */
async function keep(): Promise<void> {
  const { documents, active } = useDocuments.getState();
  const transaction = (await database()).transaction(Object.values(STORES), "readwrite");
  for (const document of documents) {
    const before = written.get(document.id);
    if (before?.document === document) continue;
    const [around, inside] = [viewports.get(document.id), viewports.get(levelKey(document))];
    put(transaction, writingOf(document, before?.states ?? [], around, inside));
    written.set(document.id, { document, states: statesOf(document) });
  }
  const open = new Set(documents.map(({ id }) => id));
  for (const id of [...written.keys()].filter((known) => !open.has(known))) {
    forget(transaction, id);
    written.delete(id);
  }
  const now: Session = { documents: [...open], active };
  transaction.objectStore(STORES.sessions).put(now, session);
  const done = over(transaction);
  transaction.commit(); // at once: the page may be gone in a moment
  await done;
}

/** Write at once, and during a gesture every now and then. */
function watchForAutosave(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const write = () => {
    timer = undefined;
    last = performance.now();
    keep().catch(() => {
      // The browser's store is full or closed to us: everything is written with the next change.
      written.clear();
    });
  };
  const soon = () => {
    if (timer === undefined)
      timer = setTimeout(write, Math.max(0, last + PAUSE - performance.now()));
  };
  useDocuments.subscribe(soon);
  window.addEventListener("pagehide", write);
  soon();
}
