/** A picture, as large as the window allows; arrows go to the others. */

import { ChevronLeft, ChevronRight, Download, Workflow as WorkflowIcon, X } from "lucide-react";
import { useEffect, useMemo } from "react";
import { openRun } from "../store/files";
import { type Run, useRuns } from "../store/runs";
import { ui, useUi } from "../store/ui";

interface Place {
  run: string;
  index: number;
}

/** Every picture, in the gallery's order. */
function pictures(runs: Record<string, Run>, order: readonly string[]): Place[] {
  return order.flatMap((id) =>
    (runs[id]?.outputs ?? []).flatMap((output, index) =>
      output.kind === "image" && output.url ? [{ run: id, index }] : [],
    ),
  );
}

export function Viewer() {
  const place = useUi((state) => state.viewer);
  return place && <OpenViewer place={place} />;
}

function OpenViewer({ place }: { place: Place }) {
  const runs = useRuns((state) => state.runs);
  const order = useRuns((state) => state.order);
  const all = useMemo(() => pictures(runs, order), [runs, order]);
  const at = all.findIndex((other) => other.run === place.run && other.index === place.index);
  const url = runs[place.run]?.outputs[place.index]?.url;
  const go = (step: number) => {
    const next = all[at + step];
    if (next) ui({ viewer: next });
  };
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.key === "ArrowRight") go(1);
      if (event.key === "ArrowLeft") go(-1);
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  });
  if (!url) return null;
  const close = () => ui({ viewer: null });
  return (
    <div
      className="viewer"
      role="dialog"
      aria-modal="true"
      aria-label="Picture"
      data-test="viewer"
      onClick={close}
    >
      <div className="viewer-bar" onClick={(event) => event.stopPropagation()}>
        <span className="list-detail">
          {at + 1} of {all.length}
        </span>
        <button
          type="button"
          className="button"
          data-test="open-workflow"
          onClick={() => void openRun(place.run)}
        >
          <WorkflowIcon size={14} aria-hidden="true" />
          Open its workflow
        </button>
        <a className="button" href={url} download={url.split("/").at(-1)}>
          <Download size={14} aria-hidden="true" />
          Download
        </a>
        <button
          type="button"
          className="icon-button"
          aria-label="Close"
          title="Close (Esc)"
          onClick={close}
          autoFocus
        >
          <X size={16} />
        </button>
      </div>
      {at > 0 && <Step side="left" onClick={() => go(-1)} />}
      <img src={url} alt="The picture of this run" onClick={(event) => event.stopPropagation()} />
      {at < all.length - 1 && <Step side="right" onClick={() => go(1)} />}
    </div>
  );
}

function Step({ side, onClick }: { side: "left" | "right"; onClick(): void }) {
  const Icon = side === "left" ? ChevronLeft : ChevronRight;
  const title = side === "left" ? "Newer picture (←)" : "Older picture (→)";
  return (
    <button
      type="button"
      className={`icon-button viewer-step viewer-${side}`}
      aria-label={title}
      title={title}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <Icon size={20} />
    </button>
  );
}
