/** A node on the canvas: title, sockets, widgets, problems, picture. */

import { type NodeProps, NodeResizeControl, useUpdateNodeInternals } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { estimatedHeight } from "../canvas/estimate";
import type { FlowNode } from "../canvas/flow";
import { useCatalogue } from "../store/catalogue";
import { edit, newGesture, useActive } from "../store/documents";
import { useView } from "../store/view";
import { setLayout } from "../workflow/edits";
import type { NodeRows } from "../workflow/sockets";
import { titleOf } from "../workflow/model";
import { isInterface } from "../workflow/subgraphs";
import { Widget } from "../widgets/Widget";
import { InterfaceNode } from "./InterfaceNode";
import { NodeProblems } from "./NodeProblems";
import { NodeResult } from "./NodeResult";
import { NodeTitle } from "./NodeTitle";
import { ShowOutside } from "./ShowOutside";
import { Socket } from "./Socket";
import {
  type Detail,
  useDefinition,
  useDetail,
  useNodeRun,
  useOutputs,
  usePaint,
  useProblems,
  useRows,
  useSeverity,
} from "./useNode";
import { t } from "../i18n/t";

const NARROWEST = 240;
const WIDEST = 640;

function SocketRows({ id, rows, bare }: { id: string; rows: NodeRows; bare: boolean }) {
  const count = Math.max(rows.inputs.length, rows.outputs.length);
  return (
    <div className="node-sockets">
      {Array.from({ length: count }, (_, index) => {
        const input = rows.inputs[index];
        const output = rows.outputs[index];
        return (
          <div className="socket-row" key={input?.name ?? output?.name}>
            <div className="socket-side">
              {input && (
                <>
                  <Socket
                    node={id}
                    side="in"
                    name={input.name}
                    title={input.title}
                    description={input.description}
                    optional={input.optional}
                    wired={input.wired}
                    bare={bare}
                  />
                  {!bare && <span className="socket-name">{input.title}</span>}
                </>
              )}
            </div>
            <div className="socket-side socket-side-out">
              {output && (
                <>
                  <Socket
                    node={id}
                    side="out"
                    name={output.name}
                    title={output.title}
                    description={output.description}
                    bare={bare}
                  />
                  {!bare && <span className="socket-name">{output.title}</span>}
                </>
              )}
            </div>
          </div>
        );
      })}
    </div>
  );
}

function Widgets({
  id,
  rows,
  detail,
  folded,
}: {
  id: string;
  rows: NodeRows;
  detail: Detail;
  folded: boolean;
}) {
  // A folded node keeps the sockets that wires end at.
  const shown = folded ? rows.widgets.filter(({ wired }) => wired) : rows.widgets;
  if (shown.length === 0) return null;
  return (
    <div className="node-widgets" data-folded={folded || undefined}>
      {shown.map(({ widget, wired }) => (
        <div className="widget-row" key={widget.name}>
          {widget.wire && (
            <Socket
              node={id}
              side="in"
              name={widget.name}
              title={widget.title}
              description={widget.description}
              wired={wired}
              quiet
              bare={detail === 2}
              optional
            />
          )}
          {detail === 0 && !folded && <Widget node={id} widget={widget} wired={wired} />}
          {detail === 0 && !folded && !wired && (
            <ShowOutside node={id} name={widget.name} title={widget.title} />
          )}
        </div>
      ))}
    </div>
  );
}

/** Wires end where sockets were measured: measure anew when there are others, though the size be the same. */
function useSocketPlaces(id: string, rows: NodeRows | null): void {
  const measure = useUpdateNodeInternals();
  const names = [...(rows?.inputs ?? []), ...(rows?.outputs ?? [])].map((row) => row.name).join();
  const last = useRef(names);
  useEffect(() => {
    if (last.current !== names) measure(id);
    last.current = names;
  }, [id, names, measure]);
}

/** The colour of a node that is too small to read: that of what it gives. */
function Block({ id, rows }: { id: string; rows: NodeRows }) {
  const side = rows.outputs[0] ? "out" : "in";
  const paint = usePaint(id, rows.outputs[0]?.name ?? rows.inputs[0]?.name ?? "", side);
  const colour = (paint.fill[0] ?? paint.outline[0])?.colour;
  return <div className="node-block" style={colour ? { background: colour } : undefined} />;
}

export const NodeView = memo(function NodeView({ id, selected, dragging }: NodeProps<FlowNode>) {
  const node = useActive((document) => document.workflow.nodes[id]);
  const place = useActive((document) => document.workflow.layout.nodes[id]);
  const definition = useDefinition(node?.type);
  const ready = useCatalogue((state) => state.ready);
  const rows = useRows(id);
  const problems = useProblems(id);
  const severityOf = useSeverity();
  const running = useNodeRun(id);
  const outputs = useOutputs(id);
  const detail = useDetail();
  useSocketPlaces(id, rows);
  if (!node || !rows) return null;
  if (isInterface(id)) return <InterfaceNode id={id} rows={rows} />;

  const folded = place?.collapsed ?? false;
  const failure =
    running.run?.state === "failed" ? (running.run.message ?? t("This node failed.")) : null;
  const worst = problems.some((p) => severityOf(p) === "error")
    ? "error"
    : problems.length
      ? "warning"
      : undefined;
  const { progress } = running;
  // Far away the body is left out but keeps its room, so that nothing moves when one comes near.
  const known = useView.getState().measured[id]?.height;
  const height = detail > 0 && !folded ? (known ?? estimatedHeight(rows)) : undefined;
  return (
    <article
      className="node"
      data-node={id}
      data-type={node.type}
      data-state={running.run?.state ?? "idle"}
      data-problem={worst}
      data-mode={node.mode}
      data-selected={selected || undefined}
      data-dragging={dragging || undefined}
      data-detail={detail}
      data-unknown={(ready && !definition) || undefined}
      aria-label={titleOf(node, definition)}
      style={{ minHeight: height }}
    >
      {running.run?.state === "running" && (
        <div
          className="node-moving"
          data-sure={progress ? "" : undefined}
          style={
            progress
              ? { width: `${(progress.step / Math.max(1, progress.steps)) * 100}%` }
              : undefined
          }
        />
      )}
      {detail < 2 ? (
        <NodeTitle id={id} node={node} definition={definition} running={running} />
      ) : (
        <header className="node-title" />
      )}
      <SocketRows id={id} rows={rows} bare={detail === 2} />
      <Widgets id={id} rows={rows} detail={detail} folded={folded} />
      {detail === 0 && !folded && (
        <>
          <NodeProblems problems={problems} failure={failure} />
          <NodeResult
            name={titleOf(node, definition)}
            outputs={outputs}
            preview={running.preview}
          />
        </>
      )}
      {detail === 2 && <Block id={id} rows={rows} />}
      {selected && detail === 0 && <Resizer id={id} />}
    </article>
  );
});

function Resizer({ id }: { id: string }) {
  let gesture = "";
  return (
    <NodeResizeControl
      className="node-resize"
      position="right"
      minWidth={NARROWEST}
      maxWidth={WIDEST}
      onResizeStart={() => (gesture = newGesture())}
      onResize={(_event, { width }) =>
        edit((workflow) => setLayout(workflow, id, { width: Math.round(width / 8) * 8 }), gesture)
      }
    />
  );
}
