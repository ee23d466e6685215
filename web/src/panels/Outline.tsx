/** The workflow as a list: each node with its inputs and where they come from, its values and outputs. */

import { memo, useMemo } from "react";
import type { SocketType } from "../api/types";
import { goToNode } from "../canvas/travel";
import { useProblems, useRows } from "../nodes/useNode";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { activeWorkflow, useActive } from "../store/documents";
import { paintOf, typeInWords } from "../theme/spaces";
import { titleOf } from "../workflow/model";
import { kindOf, socketTitle } from "../workflow/sockets";
import { inOrder, wiresAt } from "../workflow/travel";
import { t } from "../i18n/t";

function useWords(id: string) {
  const types = useChecks((state) => state.types[id]);
  const definitions = useCatalogue((state) => state.definitions);
  const spaces = useCatalogue((state) => state.spaces);
  const nodes = useActive((document) => document.workflow.nodes);
  const definition = definitions[nodes[id]?.type ?? ""];
  const nodeName = (other: string) => {
    const placed = nodes[other];
    return placed ? titleOf(placed, definitions[placed.type]) : other;
  };
  const socketName = (other: string, socket: string, side: "in" | "out") =>
    socketTitle(definitions[nodes[other]?.type ?? ""], socket, side);
  const typeOf = (socket: string, side: "in" | "out") => {
    const unchecked: SocketType = { kind: kindOf(definition, socket, side), spaces: [] };
    const known = types?.[side === "in" ? "inputs" : "outputs"][socket];
    const paint = paintOf(known ?? unchecked, spaces);
    return typeInWords(paint);
  };
  return { nodeName, socketName, typeOf };
}

const LONGEST = 60; // characters of a value

const Entry = memo(function Entry({ id }: { id: string }) {
  const node = useActive((document) => document.workflow.nodes[id]);
  const nodes = useActive((document) => document.workflow.nodes);
  const rows = useRows(id);
  const problems = useProblems(id);
  const { nodeName, socketName, typeOf } = useWords(id);
  if (!node || !rows) return null;
  const from = (socket: string) => {
    const wire = node.inputs[socket];
    return wire && `${nodeName(wire.node)}: ${socketName(wire.node, wire.output, "out")}`;
  };
  const takers = (socket: string) =>
    wiresAt({ nodes }, id, socket, "out")
      .map((wire) => `${nodeName(wire.node)}: ${socketName(wire.node, wire.socket, "in")}`)
      .join("; ");
  const modes = { run: "", mute: t("muted"), bypass: t("bypassed") };
  return (
    <li>
      <button type="button" className="outline-node" data-outline={id} onClick={() => goToNode(id)}>
        {nodeName(id)}
        {modes[node.mode] && <span className="list-detail">{modes[node.mode]}</span>}
      </button>
      <ul>
        {problems.map((problem, index) => (
          <li key={`${problem.code}-${index}`} className="outline-problem">
            {problem.message}
          </li>
        ))}
        {rows.inputs.map((input) => (
          <li key={input.name}>
            {`${input.title} (${typeOf(input.name, "in")}): `}
            {from(input.name)
              ? t("from {from}", { from: from(input.name) })
              : input.optional
                ? t("not connected, optional")
                : t("not connected, needed")}
          </li>
        ))}
        {rows.widgets.map(({ widget }) => (
          <li key={widget.name}>
            {`${widget.title}: `}
            {from(widget.name)
              ? t("from {from}", { from: from(widget.name) })
              : String(node.values[widget.name] ?? widget.default ?? "empty").slice(0, LONGEST)}
          </li>
        ))}
        {rows.outputs.map((output) => (
          <li key={output.name}>
            {`${output.title} (${typeOf(output.name, "out")}): `}
            {takers(output.name)
              ? t("to {takers}", { takers: takers(output.name) })
              : t("not connected")}
          </li>
        ))}
      </ul>
    </li>
  );
});

export function Outline() {
  const nodes = useActive((document) => document.workflow.nodes);
  const order = useMemo(() => inOrder({ ...activeWorkflow(), nodes }), [nodes]);
  return (
    <div className="panel-scroll" data-test="outline">
      <ol className="outline" aria-label={t("Nodes, each after those it is made from")}>
        {order.map((id) => (
          <Entry key={id} id={id} />
        ))}
      </ol>
      {order.length === 0 && <div className="empty">{t("There are no nodes yet.")}</div>}
    </div>
  );
}
