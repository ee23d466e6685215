/** A dot that wires pass through: moved by the hand, and new wires are drawn from its right side. */

import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { DOT_IN, DOT_OUT, type FlowNode } from "../canvas/flow";
import { useDrag } from "../store/drag";
import { useActive } from "../store/documents";
import { typeInWords, wireColour } from "../theme/spaces";
import { sourceOf } from "../workflow/reroutes";
import { ofThing } from "../workflow/things";
import { usePaint } from "./useNode";
import { t } from "../i18n/t";

export const DotView = memo(function DotView({ id, selected }: NodeProps<FlowNode>) {
  const dot = ofThing(id).id;
  // As text, so that the dot is drawn anew only when its output is another one.
  const key = useActive(({ workflow }) => {
    const source = sourceOf(workflow, dot);
    return source ? JSON.stringify([source.node, source.output]) : "";
  });
  const [node = "", output = ""] = key ? (JSON.parse(key) as string[]) : [];
  const paint = usePaint(node, output, "out");
  const takes = useDrag(
    ({ from, targets }) =>
      from?.side === "in" && (targets?.[`${node}:${output}`]?.ok ?? false) && from.node !== node,
  );
  const name = typeInWords(paint);
  return (
    <div
      className="dot"
      data-dot={dot}
      data-selected={selected || undefined}
      data-fits={takes || undefined}
      title={t("{name}: drag to move, drag from its right side for another wire", { name })}
      style={{ background: wireColour(paint)?.colour ?? "var(--wire)" }}
    >
      <span className="only-heard">{t("Reroute: {name}", { name })}</span>
      <Handle id={DOT_IN} type="target" position={Position.Left} className="dot-end" />
      <Handle
        id={DOT_OUT}
        type="source"
        position={Position.Right}
        className="dot-end dot-out"
        aria-label={t("Reroute: {name}", { name })}
      />
    </div>
  );
});
