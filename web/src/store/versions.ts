/** Earlier versions of workflows, with pictures: taken by themselves, kept by the browser within bounds. */

import type { Workflow } from "../api/types";
import { normalised } from "../workflow/model";
import { answered, database, over, STORES } from "./database";
import { activeDocument, type Document, useDocuments } from "./documents";
import { isOver, useRuns } from "./runs";
import { sizeOf } from "./view";

export type Why = "opened" | "run" | "saved" | "closed" | "edited";

export interface Version {
  number: number;
  /** Whose it is: "saved:" and the name, or "open:" and the document's id where it was never saved. */
  of: string;
  name: string;
  /** Milliseconds since 1970. */
  time: number;
  why: Why;
  nodes: number;
  workflow: Workflow;
  picture: Blob | null;
}

export const MOST_OF_ONE = 40;
export const MOST_OF_ALL = 400;
const PICTURES_COME = 1500; // milliseconds after a run in which its pictures are loaded and drawn
const EVERY = 10 * 60_000; // milliseconds of editing after which a version is taken

/** What was taken last of each document, and when, so that nothing is taken twice. */
const last = new Map<string, { workflow: Workflow; time: number }>();

function keysOf({ id, savedAs }: Document): string[] {
  return savedAs ? [`saved:${savedAs}`, `open:${id}`] : [`open:${id}`];
}

async function take(document: Document, why: Why, workflow = document.workflow): Promise<void> {
  const nodes = Object.keys(workflow.nodes).length;
  if (nodes === 0 || last.get(document.id)?.workflow === workflow) return;
  last.set(document.id, { workflow, time: Date.now() });
  // Only what is on the page has sizes and pictures; another tab's workflow is drawn without.
  const shown = document.id === useDocuments.getState().active && document.path.length === 0;
  const usual = () => ({ width: 280, height: 240 });
  const { thumbnailOf } = await import("../canvas/thumbnail");
  const picture = await thumbnailOf(workflow, shown ? sizeOf : usual).catch(() => null);
  const of = keysOf(document)[0] as string;
  const version: Omit<Version, "number"> = {
    of,
    name: document.name,
    time: Date.now(),
    why,
    nodes,
    workflow,
    picture,
  };
  const transaction = (await database()).transaction(STORES.versions, "readwrite");
  const store = transaction.objectStore(STORES.versions);
  const added = store.add(version);
  const [mine, all] = await Promise.all([
    answered(store.index("of").getAllKeys(of)),
    answered(store.getAllKeys()),
  ]);
  for (const number of surplusOf(mine, all)) store.delete(number);
  await over(transaction);
  const [run] = document.runs;
  if (why === "run" && run) await addPicture({ ...version, number: added.result as number }, run);
}

/** Once the run is over and its picture is on the page, show it in the version's. */
async function addPicture(version: Version, run: string): Promise<void> {
  await ended(run);
  await new Promise((resolve) => setTimeout(resolve, PICTURES_COME));
  const { documents, active } = useDocuments.getState();
  const shown = documents.find(({ id }) => id === active);
  if (!shown || shown.path.length || shown.runs[0] !== run) return;
  const { thumbnailOf } = await import("../canvas/thumbnail");
  const picture = await thumbnailOf(version.workflow, sizeOf);
  const transaction = (await database()).transaction(STORES.versions, "readwrite");
  const store = transaction.objectStore(STORES.versions);
  // It may have made way for newer ones meanwhile.
  if (await answered(store.getKey(version.number))) store.put({ ...version, picture });
  await over(transaction);
}

function ended(run: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      const found = useRuns.getState().runs[run];
      if (found && !isOver(found.status)) return;
      stop();
      resolve();
    };
    const stop = useRuns.subscribe(look);
    look();
  });
}

/** The oldest versions, of one workflow and of all, that are too many. Both lists begin with the oldest. */
export function surplusOf<Key>(mine: readonly Key[], all: readonly Key[]): Set<Key> {
  return new Set([
    ...mine.slice(0, Math.max(0, mine.length - MOST_OF_ONE)),
    ...all.slice(0, Math.max(0, all.length - MOST_OF_ALL)),
  ]);
}

/** A version more or less is no reason to disturb: the browser's store may be full or closed to us. */
const taken = (document: Document, why: Why, workflow?: Workflow) =>
  void take(document, why, workflow).catch(() => undefined);

/** What happened to a document is a reason to take a version of it. */
export function reasonOf(now: Document | undefined, before: Document): Why | null {
  if (!now) return before.workflow === before.clean ? null : "closed";
  if (now.past.length > 0 && before.past.length === 0) return "opened";
  if (now.runs[0] !== before.runs[0]) return "run";
  if (now.clean !== before.clean && now.clean === now.workflow && now.savedAs) return "saved";
  return null;
}

/** Begin to take versions: before the first edit, with each run and saving, and now and then. */
export function watchForVersions(): void {
  useDocuments.subscribe((state, before) => {
    if (state.documents === before.documents) return;
    for (const old of before.documents) {
      const now = state.documents.find(({ id }) => id === old.id);
      const why = reasonOf(now, old);
      if (why === "opened") taken(old, why);
      else if (why) taken(now ?? old, why);
    }
  });
  setInterval(() => {
    for (const document of useDocuments.getState().documents) {
      const { time } = last.get(document.id) ?? { time: 0 };
      if (document.past.length && Date.now() - time > EVERY) taken(document, "edited");
    }
  }, 60_000);
}

async function allOf(keys: readonly string[]): Promise<Version[]> {
  const index = (await database()).transaction(STORES.versions).objectStore(STORES.versions);
  const lists = await Promise.all(keys.map((key) => answered(index.index("of").getAll(key))));
  return (lists.flat() as Version[]).sort((a, b) => b.time - a.time);
}

/** The versions of the open workflow, newest first. */
export const versionsOfActive = (): Promise<Version[]> =>
  allOf(keysOf(activeDocument(useDocuments.getState())));

/** The newest version of each workflow that was closed without ever being saved, newest first. */
export async function closedVersions(): Promise<Version[]> {
  const store = (await database()).transaction(STORES.versions).objectStore(STORES.versions);
  const all = (await answered(store.getAll())) as Version[];
  const open = new Set(useDocuments.getState().documents.map(({ id }) => `open:${id}`));
  const newest = new Map<string, Version>();
  for (const version of all)
    if (version.of.startsWith("open:") && !open.has(version.of)) newest.set(version.of, version);
  return [...newest.values()].sort((a, b) => b.time - a.time);
}

/** Make the open workflow what it was; one undo takes it back. */
export function goBackTo(version: Version): void {
  const document = activeDocument(useDocuments.getState());
  taken(document, "edited"); // what is there now is not lost either
  useDocuments.getState().editWhole(() => normalised(version.workflow));
}
