/** Start and cancel runs of the active workflow. */

import { api, ApiError } from "../api/client";
import type { Workflow } from "../api/types";
import { signatures } from "../workflow/forecast";
import { levelOf, locate, prefixOf } from "../workflow/subgraphs";
import { usedSeeds, withFreshSeeds } from "../workflow/seeds";
import { definitions } from "./catalogue";
import { REFUSED, showAnswer, useChecks } from "./checks";
import { activeDocument, pathOf, useDocuments } from "./documents";
import { activeRuns, addRun, rememberSubmitted, useRuns } from "./runs";
import { notify, ui } from "./ui";
import { asked, showValues } from "./values";
import { plural, t } from "../i18n/t";

const KEPT = 12; // runs that a document remembers as its own

/** Queue `count` runs; each after the first has its own random seeds. Stops at the first refusal. */
export async function startRuns(count = 1, wanted?: string[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (!(await startRun(wanted))) return;
  }
}

async function startRun(wanted?: string[]): Promise<boolean> {
  const store = useDocuments.getState();
  const document = activeDocument(store);
  const workflow = withFreshSeeds(document.workflow, definitions(), document.used);
  store.amend(() => workflow, document.id); // so that the seed that runs is the seed that is shown
  try {
    const prefix = prefixOf(pathOf(document)); // of what was chosen, inside a subgraph
    const named = wanted?.map((id) => prefix + id);
    const run = await api.run(workflow, named);
    const signed = signatures(workflow, Object.keys(workflow.nodes));
    const nodes = [...signed].map(([id, signature]) => {
      return [id, { signature, type: workflow.nodes[id]?.type ?? "" }] as const;
    });
    rememberSubmitted(run.id, new Map(nodes));
    addRun(run);
    void showValues(
      run.id,
      asked(named ?? [], (node) => typeAt(workflow, node)),
    );
    const used = usedSeeds(workflow, definitions());
    const now = useDocuments.getState().documents.find((d) => d.id === document.id);
    store.update(document.id, { used, runs: [run.id, ...(now?.runs ?? [])].slice(0, KEPT) });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refused(error);
    return false;
  }
}

/** The type of a node that may lie inside a subgraph ("up/k"). */
function typeAt(workflow: Workflow, name: string): string | undefined {
  const at = locate(workflow, name);
  return at ? levelOf(workflow, at.path).nodes[at.id]?.type : undefined;
}

function refused(error: ApiError): void {
  if (error.status !== 422 || error.problems.length === 0) {
    notify("error", error.message);
    return;
  }
  const { problems } = error;
  showAnswer({ problems, types: useChecks.getState().answer.types, runnable: false });
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const show = { title: t("Show"), run: () => ui({ right: "problems" }) };
  const text = plural(
    errors,
    "One problem keeps this workflow from running.",
    "{count} problems keep this workflow from running.",
  );
  notify("error", text, show, REFUSED);
}

/** Cancel the run that is on, or the given one. */
export async function cancelRun(id?: string): Promise<void> {
  const running = activeRuns(useRuns.getState());
  const run = id ?? (running.find((r) => r.status === "running") ?? running.at(-1))?.id;
  if (!run) return;
  try {
    await api.cancel(run);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify("error", error.message);
  }
}
