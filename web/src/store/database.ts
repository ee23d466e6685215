/** The browser's own database: what is open here, step by step, and earlier versions. */

const NAME = "latent-loom";
const VERSION = 1;

export const STORES = {
  /** By number of the window: which documents are open in it. */
  sessions: "sessions",
  /** By id: what a document is beside its workflow. */
  documents: "documents",
  /** By id: the workflow that a document's steps begin at. */
  bases: "bases",
  /** By [id, number]: what a step changed. */
  steps: "steps",
  /** By number: earlier versions, with the index "of". */
  versions: "versions",
} as const;

let opening: Promise<IDBDatabase> | null = null;

/** The answer of a request. Rejects with the browser's error. */
export function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The browser's database failed."));
  });
}

export function over(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () =>
      reject(transaction.error ?? new Error("The browser's database failed."));
  });
}

/** The database, made on the first call. Rejects where the browser offers none. */
export function database(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    if (typeof indexedDB === "undefined") return reject(new Error("There is no database here."));
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const { sessions, documents, bases, steps, versions } = STORES;
      for (const store of [sessions, documents, bases, steps])
        request.result.createObjectStore(store);
      request.result
        .createObjectStore(versions, { keyPath: "number", autoIncrement: true })
        .createIndex("of", "of");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The browser's database failed."));
  });
  return opening;
}
