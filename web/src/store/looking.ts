/** What can be looked at after a run: which nodes gave something, and the sheets that show it. */

import { definitions } from "./catalogue";
import {
  activeDocument,
  activePrefix,
  activeWorkflow,
  useActive,
  useDocuments,
  usePrefix,
} from "./documents";
import { nodeRunOf } from "./inside";
import { shownRun, useRuns } from "./runs";
import { notify, ui } from "./ui";
import { t } from "../i18n/t";

const GAVE = new Set(["finished", "cached"]);

/** Whether the shown run has a value of this node; null asks for none. */
export function useHasValue(node: string | null): boolean {
  const ids = useActive((document) => document.runs);
  const prefix = usePrefix();
  return useRuns((state) => {
    if (node === null) return false;
    return GAVE.has(nodeRunOf(shownRun(state.runs, ids), prefix + node)?.state ?? "");
  });
}

function newestRun() {
  return shownRun(useRuns.getState().runs, activeDocument(useDocuments.getState()).runs);
}

export function lookAt(node: string, output: string): void {
  const run = newestRun();
  if (run) ui({ sheet: { kind: "inspect", run: run.id, node: activePrefix() + node, output } });
}

/** Look at a node's first output; false where there is no node or nothing to be seen. */
export function lookAtNode(node: string | undefined): boolean {
  const placed = node === undefined ? undefined : activeWorkflow().nodes[node];
  const output = placed && definitions()[placed.type]?.outputs[0];
  if (node === undefined || !output) return false;
  if (!GAVE.has(nodeRunOf(newestRun(), activePrefix() + node)?.state ?? "")) {
    notify("info", t("This node has given nothing yet. Run the workflow first."));
    return true;
  }
  lookAt(node, output.name);
  return true;
}

export function showTimeline(): void {
  const run = newestRun();
  if (run) ui({ sheet: { kind: "timeline", run: run.id } });
  else notify("info", t("Nothing has been run in this tab yet."));
}
