/** The title bar: name, what the run makes of the node, and how long it took. */

import {
  ChevronDown,
  ChevronRight,
  CircleSlash,
  CornerDownRight,
  Pin,
  SquareArrowOutDownRight,
} from "lucide-react";
import { useState } from "react";
import type { NodeDefinition, PlacedNode } from "../api/types";
import { edit, useActive } from "../store/documents";
import { enter } from "../store/levels";
import { ui, useUi } from "../store/ui";
import { setLayout } from "../workflow/edits";
import { renameNode } from "../workflow/exposing";
import { titleOf } from "../workflow/model";
import { subgraphOf } from "../workflow/subgraphs";
import type { Progressing } from "./useNode";
import { t } from "../i18n/t";

interface Props {
  id: string;
  node: PlacedNode;
  definition: NodeDefinition | undefined;
  running: Progressing;
}

const WORDS: Record<string, string> = {
  waiting: t("queued"),
  running: t("running"),
  cached: t("unchanged, taken from the cache"),
  finished: t("done"),
  failed: t("failed"),
  cancelled: t("cancelled"),
};

export function seconds(time: number): string {
  if (time < 0.01) return "0 s";
  if (time < 1) return `${time.toFixed(2)} s`;
  if (time < 60) return `${time.toFixed(1)} s`;
  const whole = Math.round(time);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

export function NodeTitle({ id, node, definition, running }: Props) {
  const renaming = useUi((state) => state.renaming === id);
  const collapsed = useActive((document) => document.workflow.layout.nodes[id]?.collapsed ?? false);
  const pinned = useActive((document) => document.workflow.layout.nodes[id]?.pinned ?? false);
  const { run, progress } = running;
  const name = titleOf(node, definition);
  const own = node.title === definition?.original ? "" : node.title;
  return (
    <header className="node-title" onDoubleClick={() => ui({ renaming: id })}>
      <button
        type="button"
        className="node-fold nodrag"
        aria-label={collapsed ? t("Unfold node") : t("Fold node")}
        title={collapsed ? t("Unfold") : t("Fold")}
        onDoubleClick={(event) => event.stopPropagation()}
        onClick={() => edit((workflow) => setLayout(workflow, id, { collapsed: !collapsed }))}
      >
        {collapsed ? <ChevronRight size={14} /> : <ChevronDown size={14} />}
      </button>
      {renaming ? (
        <TitleField id={id} title={own} placeholder={definition?.title ?? node.type} />
      ) : (
        <span className="node-name" title={definition?.description || undefined}>
          {name}
        </span>
      )}
      {pinned && <Pin size={12} aria-label={t("pinned")} className="node-pin" />}
      {subgraphOf(node.type) !== null && definition && (
        <button
          type="button"
          className="icon-button node-enter nodrag"
          aria-label={t("Open {name}", { name })}
          title={t("Open the subgraph (Enter)")}
          data-enter={id}
          onDoubleClick={(event) => event.stopPropagation()}
          onClick={() => enter(id)}
        >
          <SquareArrowOutDownRight size={14} />
        </button>
      )}
      {node.mode === "mute" && (
        <span className="node-mode" title={t("Left out, with all that hangs on it (Ctrl+M)")}>
          <CircleSlash size={14} aria-hidden="true" />
          {t("Muted")}
        </span>
      )}
      {node.mode === "bypass" && (
        <span
          className="node-mode"
          title={t("Wires pass through it as if it were not there (Ctrl+B)")}
        >
          <CornerDownRight size={14} aria-hidden="true" />
          {t("Bypassed")}
        </span>
      )}
      {run?.state === "running" && progress && (
        <span className="node-time" data-test="node-step">
          {progress.label ? `${progress.label} ` : ""}
          {progress.step}/{progress.steps}
        </span>
      )}
      {run?.state === "finished" && typeof run.seconds === "number" && (
        <span className="node-time">{seconds(run.seconds)}</span>
      )}
      {run && (
        <span
          className="state-dot"
          data-state={run.state}
          role="img"
          aria-label={WORDS[run.state]}
          title={WORDS[run.state]}
        />
      )}
    </header>
  );
}

function TitleField({
  id,
  title,
  placeholder,
}: {
  id: string;
  title: string;
  placeholder: string;
}) {
  const [text, setText] = useState(title);
  const commit = () => {
    ui({ renaming: null });
    edit((workflow) => renameNode(workflow, id, text.trim()));
  };
  return (
    <input
      className="node-name-field nodrag"
      autoFocus
      value={text}
      placeholder={placeholder}
      aria-label={t("Node name")}
      onFocus={(event) => event.target.select()}
      onChange={(event) => setText(event.target.value)}
      onBlur={commit}
      onDoubleClick={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          event.stopPropagation();
          ui({ renaming: null });
        }
      }}
    />
  );
}
