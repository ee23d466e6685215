/** The pictures that runs made, newest first. */

import { memo } from "react";
import { seconds } from "../nodes/NodeTitle";
import { type Run, useRuns } from "../store/runs";
import { ui } from "../store/ui";

function when(run: Run): string {
  return new Date(run.created).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
  });
}

function took(run: Run): string {
  return run.started && run.finished ? seconds((run.finished - run.started) / 1000) : "";
}

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
  const pictures = all.some((run) => run.outputs.some((output) => output.kind === "image"));
  return (
    <div className="panel-scroll" data-test="gallery">
      <div className="thumbs">
        {all.map((run) => (
          <Pictures key={run.id} run={run} />
        ))}
      </div>
      {!pictures && (
        <div className="empty">
          No pictures yet. Write what you want to see into the prompt and press Run.
        </div>
      )}
    </div>
  );
}
