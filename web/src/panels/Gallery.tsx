/** Runs, newest first: those that wait or run with their progress, then the pictures. */

import { X } from "lucide-react";
import { memo } from "react";
import { seconds } from "../nodes/NodeTitle";
import { openRun } from "../store/files";
import { cancelAll, cancelRun } from "../store/running";
import { isOver, type Run, useRuns } from "../store/runs";
import { ui } from "../store/ui";

const STATES = {
  waiting: "Waiting",
  interrupted: "Interrupted",
  running: "Running",
  finished: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
} as const;

function when(run: Run): string {
  return new Date(run.created).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
  });
}

function took(run: Run): string {
  return run.started && run.finished ? seconds((run.finished - run.started) / 1000) : "";
}

const ActiveRun = memo(function ActiveRun({ run }: { run: Run }) {
  const preview = Object.values(run.previews).at(-1);
  const step = Object.entries(run.progress).findLast(
    ([id]) => run.nodes[id]?.state === "running",
  )?.[1];
  return (
    <div className="run-card" data-run={run.id} data-status={run.status}>
      <div className="run-row">
        <span className="state-dot" data-state={run.status === "running" ? "running" : "waiting"} />
        <span className="library-name">{STATES[run.status]}</span>
        <span className="list-detail">{step ? `${step.step}/${step.steps}` : when(run)}</span>
        <button
          type="button"
          className="icon-button"
          aria-label="Cancel this run"
          title="Cancel this run"
          onClick={() => void cancelRun(run.id)}
        >
          <X size={14} />
        </button>
      </div>
      {preview && (
        <img className="run-preview" src={preview} alt="Preview of the running picture" />
      )}
      {step && (
        <div className="meter">
          <span style={{ width: `${(step.step / Math.max(1, step.steps)) * 100}%` }} />
        </div>
      )}
    </div>
  );
});

const FailedRun = memo(function FailedRun({ run }: { run: Run }) {
  return (
    <button
      type="button"
      className="run-card run-failed"
      data-run={run.id}
      data-status={run.status}
      title="Open this run’s workflow"
      onClick={() => void openRun(run.id)}
    >
      <span className="run-row">
        <span className="state-dot" data-state={run.status} />
        <span className="library-name">{STATES[run.status]}</span>
        <span className="list-detail">{when(run)}</span>
      </span>
      {run.error && <span className="run-error">{run.error}</span>}
    </button>
  );
});

const Pictures = memo(function Pictures({ run }: { run: Run }) {
  return run.outputs.map((output, index) =>
    output.kind === "image" && output.url ? (
      <button
        key={`${run.id}-${index}`}
        type="button"
        className="thumb"
        title={[when(run), took(run)].filter(Boolean).join(", ")}
        aria-label={`Picture of ${when(run)}`}
        data-test="thumb"
        data-run={run.id}
        data-status={run.status}
        onClick={() => ui({ viewer: { run: run.id, index } })}
      >
        <img src={output.thumbnail ?? output.url} alt="" loading="lazy" draggable={false} />
      </button>
    ) : null,
  );
});

export function Gallery() {
  const order = useRuns((state) => state.order);
  const runs = useRuns((state) => state.runs);
  const all = order.flatMap((id) => runs[id] ?? []);
  // What runs stands first, then what waits, in the order in which it will run.
  const active = all.filter((run) => !isOver(run.status)).reverse();
  active.sort((a, b) => Number(b.status === "running") - Number(a.status === "running"));
  const over = all.filter((run) => isOver(run.status));
  const failed = over.filter((run) => run.status === "failed").slice(0, 3);
  const pictures = over.some((run) => run.outputs.length > 0);
  return (
    <div className="panel-scroll" data-test="gallery">
      {active.map((run) => (
        <ActiveRun key={run.id} run={run} />
      ))}
      {active.length > 1 && (
        <button type="button" className="button button-quiet" onClick={() => void cancelAll()}>
          Cancel all {active.length} runs
        </button>
      )}
      {failed.map((run) => (
        <FailedRun key={run.id} run={run} />
      ))}
      <div className="thumbs">
        {all.map((run) => (
          <Pictures key={run.id} run={run} />
        ))}
      </div>
      {active.length === 0 && !pictures && (
        <div className="empty">
          No pictures yet. Write what you want to see into the prompt and press Run.
        </div>
      )}
    </div>
  );
}
