/** Begin: listen to the server, learn what it knows, open what was open. */

import { ApiError } from "../api/client";
import { listen } from "../api/events";
import type { ServerEvent } from "../api/types";
import { restoredSoon } from "./autosave";
import { loadDefinitions, loadModels, loadStatus, loadWorkflows, useCatalogue } from "./catalogue";
import { checkSoon, watch } from "./checks";
import { useDocuments } from "./documents";
import { DEFAULT_TEMPLATE, openForApp, openTemplate } from "./files";
import { lookAtGallerySoon } from "./gallery";
import { watchLevels } from "./levels";
import { loadLibrary } from "./library";
import { takeNote } from "./memory";
import { lookAtQueueSoon } from "./queue";
import { isOver, receive, refreshRuns } from "./runs";
import { watchForVersions } from "./versions";
import { heard } from "./workerNews";
import { notify } from "./ui";

function fail(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  notify("error", error.message);
}

function event(message: ServerEvent): void {
  switch (message.type) {
    case "worker":
      return void heard(message);
    case "nodes":
      return void loadDefinitions().catch(fail);
    case "models":
      return void loadModels().catch(fail);
    case "note":
      return takeNote(message.message);
    case "queue":
      return lookAtQueueSoon();
    case "gallery":
      return lookAtGallerySoon();
    case "output":
      if (message.kind === "image") lookAtGallerySoon();
      return receive(message);
    case "run":
      if (isOver(message.status)) lookAtGallerySoon();
      lookAtQueueSoon();
      return receive(message);
    case "snapshot":
      lookAtQueueSoon();
      return receive(message);
    default:
      return receive(message);
  }
}

function connected(open: boolean): void {
  const before = useCatalogue.getState();
  useCatalogue.setState({ connected: open, everConnected: before.everConnected || open });
  if (!open) return;
  // Whatever changed while the socket was down is asked for anew.
  lookAtQueueSoon();
  lookAtGallerySoon();
  void refreshRuns().catch(fail);
  void loadStatus().catch(fail);
  if (before.everConnected) {
    void loadDefinitions().catch(fail);
    void loadModels().catch(fail);
    checkSoon();
  }
}

/** Resolves once what was open is open again, so that the page begins with it. */
export async function begin(): Promise<void> {
  const last = await restoredSoon();
  if (last) useDocuments.getState().restore(last.documents, last.active);
  else void openTemplate(DEFAULT_TEMPLATE);
  watchForVersions();
  attend();
}

/** Begin the app view of a saved workflow, or of a template; the editor's tabs stay as they are. */
export function beginApp(name: string): void {
  void openForApp(name);
  attend();
}

function attend(): void {
  watch();
  watchLevels();
  listen({ event, connected });
  void loadDefinitions().catch(fail);
  void loadModels().catch(fail);
  void loadWorkflows().catch(fail);
  void loadLibrary().catch(fail);
}
