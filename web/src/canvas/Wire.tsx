/** A wire: its space's colour, red where it is wrong, dashed and badged where a person overruled. */

import {
  BaseEdge,
  EdgeLabelRenderer,
  type EdgeProps,
  getBezierPath,
  getSmoothStepPath,
  useStore,
} from "@xyflow/react";
import { X } from "lucide-react";
import { memo, type MouseEvent, useId } from "react";
import { deleteSelected } from "../commands/clipboard";
import { useChecks } from "../store/checks";
import { useActive } from "../store/documents";
import { useUi } from "../store/ui";
import { useView } from "../store/view";
import { usePaint } from "../nodes/useNode";
import { wireColour } from "../theme/spaces";
import { socketBase } from "../workflow/model";
import { dragDot, putDot } from "./bending";
import type { FlowEdge } from "./flow";
import { toCanvas } from "./instance";
import { t } from "../i18n/t";

const CODE_EVERY = 200; // pixels between two letter codes along a wire
const ASIDE = 24; // pixels between a wire and the button that removes it
const NEAR = 0.45; // the zoom below which wires carry no words

/**
 * A curve; one that must go back goes round in straight lines, between the nodes where there is room. At
 * a dot the hand has said where it goes.
 */
function pathOf(ends: EdgeProps<FlowEdge>) {
  const { start, end } = ends.data?.segment ?? {};
  if (ends.targetX > ends.sourceX || start || end) return getBezierPath(ends);
  return getSmoothStepPath({ ...ends, borderRadius: 12, offset: 20 });
}

export const Wire = memo(function Wire(props: EdgeProps<FlowEdge>) {
  const { id, selected, data } = props;
  const segment = data?.segment;
  const source = segment?.source.node ?? "";
  const target = segment?.to.node ?? "";
  const input = segment?.to.socket ?? "";
  const last = segment?.end === null;
  const paint = usePaint(source, segment?.source.output ?? "", "out");
  const wire = useActive((document) => document.workflow.nodes[target]?.inputs[input]);
  const wrong = useChecks((state) => {
    const here = (socket: string | null) => socket === input || socket === socketBase(input);
    if (!last) return false; // the piece at the input says what is wrong
    // Both wires of a mismatch are wrong: that of the latent and that of the VAE.
    return (
      state.byNode[target]?.some(
        (p) =>
          p.severity === "error" &&
          p.code !== "missing_input" &&
          (here(p.socket) || p.because.some((b) => b.node === target && here(b.socket))),
      ) ?? false
    );
  });
  const asleep = useActive((document) => {
    const { nodes } = document.workflow;
    return nodes[source]?.mode === "mute" || nodes[target]?.mode === "mute";
  });
  const near = useStore((state) => state.transform[2] >= NEAR);
  const patterns = useUi((state) => state.patterns);
  const pathId = useId();
  const [path, x, y] = pathOf(props);
  const colour = wireColour(paint);
  const overruled = last && Boolean(wire?.allow);
  const style = {
    stroke: wrong || overruled ? "var(--error)" : (colour?.colour ?? "var(--wire)"),
    strokeDasharray: overruled ? "6 4" : colour?.dashed ? "10 4" : undefined,
    opacity: asleep ? 0.35 : undefined,
  };
  const alone = useView((state) => state.selected.size === 0 && state.selectedWires.size === 1);
  const removable = selected && near && alone;
  // Beside the wire, so that the second click of a double click does not land on it.
  const lift = removable ? ASIDE : 0;
  const bend = (event: MouseEvent) => {
    event.stopPropagation();
    if (segment) putDot(segment, toCanvas({ x: event.clientX, y: event.clientY }));
  };
  return (
    <g
      className={selected ? "nopan" : undefined}
      onDoubleClick={bend}
      onClick={(event) => event.altKey && bend(event)}
      onPointerDown={(event) => {
        if (selected && segment && event.button === 0) dragDot(segment, event.nativeEvent);
      }}
    >
      <path d={path} className="wire-edge" data-selected={selected || undefined} />
      <BaseEdge
        id={pathId}
        path={path}
        style={style}
        interactionWidth={16}
        className="wire"
        data-wire={id}
        data-wrong={wrong || undefined}
        data-overruled={overruled || undefined}
      />
      {patterns && near && paint.short && (
        <text className="wire-code" dy="-4">
          <textPath href={`#${CSS.escape(pathId)}`} startOffset={CODE_EVERY / 4}>
            {Array(4)
              .fill(paint.short)
              .join("\u2003".repeat(CODE_EVERY / 14))}
          </textPath>
        </text>
      )}
      {near && (removable || overruled) && (
        <EdgeLabelRenderer>
          <div
            className="wire-label nodrag nopan"
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y - lift}px)` }}
          >
            {overruled && (
              <span
                className="badge badge-trouble"
                title={t("A person allowed this wire although the spaces differ")}
              >
                {t("allowed")}
              </span>
            )}
            {removable && (
              <button
                type="button"
                className="wire-remove"
                aria-label={t("Remove this wire")}
                title={t("Remove this wire")}
                onClick={() => void deleteSelected()}
              >
                <X size={12} />
              </button>
            )}
          </div>
        </EdgeLabelRenderer>
      )}
    </g>
  );
});
