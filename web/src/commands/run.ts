/** Commands of the group "Run": what starts and ends runs. */

import { cancelRun, startRuns } from "../store/running";
import { activeDocument, useDocuments } from "../store/documents";
import { moveRun } from "../store/queue";
import { useRuns } from "../store/runs";
import { useUi } from "../store/ui";
import { selected } from "./actions";
import type { Command } from "./command";
import { t } from "../i18n/t";

/** Start a run, and put it before all that wait. */
async function runFirst(): Promise<void> {
  await startRuns(1);
  const [id] = activeDocument(useDocuments.getState()).runs;
  if (id && useRuns.getState().runs[id]?.status === "waiting") await moveRun(id, { front: true });
}

export const RUN: readonly Command[] = [
  {
    id: "run",
    title: t("Run"),
    group: "Run",
    keys: ["Mod+Enter"],
    whileTyping: true,
    run: () => void startRuns(useUi.getState().count),
  },
  {
    id: "run-front",
    title: t("Run before what waits"),
    group: "Run",
    keys: ["Mod+Shift+Enter"],
    whileTyping: true,
    run: () => void runFirst(),
  },
  {
    id: "run-node",
    title: t("Run up to here"),
    group: "Run",
    menu: "node",
    run: () => void startRuns(1, selected()),
  },
  {
    id: "cancel",
    title: t("Cancel the run"),
    group: "Run",
    keys: ["Mod+Alt+Enter"],
    whileTyping: true,
    run: () => void cancelRun(),
  },
];
