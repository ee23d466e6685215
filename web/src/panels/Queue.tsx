/** The queue: what runs, what waits, what failed, and the ways to pause, repeat and cancel. */

import { CircleStop, Pause as PauseIcon, Play, RotateCcw, X, ZapOff } from "lucide-react";
import { useEffect } from "react";
import type { RunAnswer } from "../api/types";
import { openRun } from "../store/files";
import {
  cancelQueue,
  forgetRun,
  lookAtQueueSoon,
  pauseQueue,
  repeatRuns,
  useQueue,
} from "../store/queue";
import { ui } from "../store/ui";
import { Batches } from "./QueueBatches";
import { WaitingRuns } from "./QueueLine";
import { NodeLink, RunningRun, useRunName } from "./QueueRun";
import { t } from "../i18n/t";

function askCancelAll(count: number): void {
  if (count === 1) return void cancelQueue();
  ui({
    dialog: {
      title: t("Cancel all {count} runs?", { count }),
      text: t(
        "What runs is stopped, and what waits leaves the queue. Pictures that are done stay.",
      ),
      confirm: t("Cancel all"),
      danger: true,
      done: () => void cancelQueue(),
    },
  });
}

function Controls() {
  const paused = useQueue((state) => state.pause !== "no");
  const count = useQueue((state) => state.waiting + state.running.length);
  return (
    <div className="queue-controls">
      {!paused && (
        <>
          <button
            type="button"
            className="button button-small"
            title={t("What runs is finished; nothing else is begun until you let it go on")}
            data-test="queue-pause"
            onClick={() => void pauseQueue("after")}
          >
            <PauseIcon size={12} aria-hidden="true" />
            {t("Pause")}
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={t("Pause now")}
            title={t("Pause now: what runs stops and goes back in line")}
            data-test="queue-pause-now"
            onClick={() => void pauseQueue("now")}
          >
            <ZapOff size={14} />
          </button>
        </>
      )}
      <button
        type="button"
        className="button button-small queue-cancel-all"
        disabled={count === 0}
        data-test="queue-cancel-all"
        onClick={() => askCancelAll(count)}
      >
        <CircleStop size={12} aria-hidden="true" />
        {t("Cancel all")}
      </button>
    </div>
  );
}

function Paused() {
  const paused = useQueue((state) => state.pause !== "no");
  const running = useQueue((state) => state.running.length > 0);
  if (!paused) return null;
  return (
    <div className="queue-paused" role="status" data-test="queue-paused">
      <span>{running ? t("Paused once this run is over.") : t("Paused. Nothing is begun.")}</span>
      <button
        type="button"
        className="button button-small"
        data-test="queue-go-on"
        onClick={() => void pauseQueue("no")}
      >
        <Play size={12} aria-hidden="true" />
        {t("Go on")}
      </button>
    </div>
  );
}

function FailedRun({ run }: { run: RunAnswer }) {
  const name = useRunName(run);
  const node = Object.entries(run.nodes ?? {}).find(([, { state }]) => state === "failed")?.[0];
  return (
    <div className="run-card run-failed" data-run={run.id} data-test="queue-failed">
      <div className="run-row">
        <span className="state-dot" data-state="failed" />
        <span className="library-name" title={name}>
          {name}
        </span>
        {/* A run of a batch keeps its place in the batch's grid. */}
        {!run.batch && (
          <button
            type="button"
            className="icon-button"
            aria-label={t("Forget {name}", { name })}
            title={t("Forget this run")}
            onClick={() => void forgetRun(run.id)}
          >
            <X size={14} />
          </button>
        )}
      </div>
      {run.error && <p className="run-error">{run.error}</p>}
      <div className="queue-about">
        {node && <NodeLink run={run} node={node} />}
        <span className="queue-actions">
          <button
            type="button"
            className="button button-small button-quiet"
            title={t("Open this run’s workflow")}
            onClick={() => void openRun(run.id)}
          >
            {t("Open")}
          </button>
          <button
            type="button"
            className="button button-small button-quiet"
            title={t("Retry with other values")}
            data-test="queue-retry-edited"
            onClick={() => ui({ sheet: { kind: "run-values", run: run.id, how: "again" } })}
          >
            {t("Edit…")}
          </button>
          <button
            type="button"
            className="button button-small"
            data-test="queue-retry"
            onClick={() => void repeatRuns([run.id])}
          >
            <RotateCcw size={12} aria-hidden="true" />
            {t("Retry")}
          </button>
        </span>
      </div>
    </div>
  );
}

export function Queue() {
  const running = useQueue((state) => state.running);
  const failed = useQueue((state) => state.failed);
  const trouble = useQueue((state) => state.trouble);
  const idle = useQueue((state) => state.running.length + state.line.length === 0);
  useEffect(lookAtQueueSoon, []);
  return (
    <div className="panel-scroll" data-test="queue">
      <Controls />
      <Paused />
      {running.map((run) => (
        <RunningRun key={run.id} run={run} />
      ))}
      <WaitingRuns />
      <Batches />
      {trouble && <div className="empty">{trouble}</div>}
      {idle && !trouble && (
        <div className="empty">
          {t("Nothing runs and nothing waits. Press Run to queue this workflow.")}
        </div>
      )}
      {failed.length > 0 && <div className="panel-heading">{t("Failed")}</div>}
      {failed.map((run) => (
        <FailedRun key={run.id} run={run} />
      ))}
    </div>
  );
}
