/** A run that is on: its node and step, the picture so far, and how long it still takes. */

import { X } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { RunAnswer, Workflow } from "../api/types";
import { useCatalogue } from "../store/catalogue";
import { useDocuments } from "../store/documents";
import { showNode as goToNode } from "../store/levels";
import { openRun } from "../store/files";
import { learnWorkflow, useQueue, workflowOf } from "../store/queue";
import { cancelRun } from "../store/running";
import { type Run, useRuns } from "../store/runs";
import { nodeAt } from "../workflow/subgraphs";
import { titleOf } from "../workflow/model";
import { inWords, type Pace, paced, timeLeft, usualTimes } from "../workflow/timeLeft";
import { t } from "../i18n/t";

/** The workflow that a run is of: asked for once, so that its nodes have names. */
export function useWorkflowOf(run: RunAnswer): Workflow | undefined {
  useEffect(() => void learnWorkflow(run), [run.id]);
  return useQueue((state) => workflowOf(run, state.workflows));
}

/** What a run is called: its name in its batch, else that of the workflow it was started from. */
export function useRunName(run: RunAnswer): string {
  const document = useDocuments((state) => state.documents.find((d) => d.runs.includes(run.id)));
  return run.name || document?.name || t("A run");
}

/** Show a run's node on the canvas, in the tab that it was started from or else in one of its own. */
async function showNode(run: string, node: string): Promise<void> {
  const { documents, activate } = useDocuments.getState();
  const from = documents.find((d) => d.runs.includes(run) && nodeAt(d.workflow, node));
  if (from) activate(from.id);
  else await openRun(run);
  goToNode(node);
}

export function NodeLink({ run, node }: { run: RunAnswer; node: string }) {
  const workflow = useWorkflowOf(run);
  const definitions = useCatalogue((state) => state.definitions);
  const placed = workflow && nodeAt(workflow, node);
  return (
    <button
      type="button"
      className="queue-node"
      title={t("Show this node")}
      data-test="queue-node"
      onClick={() => void showNode(run.id, node)}
    >
      {placed ? titleOf(placed, definitions[placed.type]) : node}
    </button>
  );
}

/** Seconds that a run still takes, reckoned anew at each event of it; null where unknown. */
function useTimeLeft(run: Run | undefined): number | null {
  const paces = useRef<Record<string, Pace>>({});
  const past = useRef<Map<string, number> | null>(null);
  const ids = run ? Object.keys(run.nodes).length : 0;
  useMemo(() => {
    const { order, runs } = useRuns.getState();
    past.current = run
      ? usualTimes(
          run,
          order.flatMap((id) => (id !== run.id && runs[id]) || []),
        )
      : null;
  }, [run?.id, ids]);
  if (!run) return null;
  const now = Date.now();
  for (const [id, node] of Object.entries(run.nodes))
    if (node.state === "running")
      paces.current[id] = paced(paces.current[id], run.progress[id]?.step, now);
  return timeLeft(run, paces.current, past.current ?? new Map(), now);
}

export function RunningRun({ run }: { run: RunAnswer }) {
  const live = useRuns((state) => state.runs[run.id]);
  const name = useRunName(run);
  const left = useTimeLeft(live);
  const nodes = Object.entries(live?.nodes ?? run.nodes ?? {});
  const node = nodes.find(([, { state }]) => state === "running")?.[0];
  const step = node ? live?.progress[node] : undefined;
  const preview = live && Object.values(live.previews).at(-1);
  const done = nodes.filter(([, { state }]) => state === "finished" || state === "cached").length;
  return (
    <div className="run-card" data-run={run.id} data-status="running" data-test="queue-running">
      <div className="run-row">
        <span className="state-dot" data-state="running" />
        <span className="library-name" title={name}>
          {name}
        </span>
        <CancelButton run={run.id} name={name} />
      </div>
      <Preview url={preview} />
      <div className="queue-about">
        {node ? (
          <NodeLink run={run} node={node} />
        ) : (
          <span className="library-name">{t("Begins")}</span>
        )}
        <span className="list-detail">
          {step
            ? `${step.step}/${step.steps}`
            : nodes.length
              ? t("{done} of {count}", { done, count: nodes.length })
              : ""}
        </span>
      </div>
      {step && (
        <div className="meter">
          <span style={{ width: `${(step.step / Math.max(1, step.steps)) * 100}%` }} />
        </div>
      )}
      {left !== null && left >= 0.5 && (
        <div className="queue-about list-detail">
          {t("about {time} left", { time: inWords(left) })}
        </div>
      )}
    </div>
  );
}

/** The picture so far. One that is gone by now leaves no broken image. */
function Preview({ url }: { url: string | undefined }) {
  const [gone, setGone] = useState<string>();
  if (!url || gone === url) return null;
  return (
    <img
      className="run-preview"
      src={url}
      alt={t("Preview of the running picture")}
      onError={() => setGone(url)}
    />
  );
}

export function CancelButton({ run, name }: { run: string; name: string }) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={t("Cancel {name}", { name })}
      title={t("Cancel this run")}
      onClick={() => void cancelRun(run)}
    >
      <X size={14} />
    </button>
  );
}
