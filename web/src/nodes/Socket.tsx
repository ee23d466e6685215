/** A socket: the handle that wires begin and end at. */

import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import { tapSocket } from "../canvas/touch";
import { socketKeys } from "./socketKeys";
import { fitOf, useDrag } from "../store/drag";
import { lookAt, useHasValue } from "../store/looking";
import { useSize } from "../store/sizes";
import { typeInWords } from "../theme/spaces";
import { shapeOf } from "./shapes";
import { SocketShape } from "./SocketShape";
import { usePaint } from "./useNode";
import { t } from "../i18n/t";

interface Props {
  node: string;
  name: string;
  title: string;
  description: string;
  side: "in" | "out";
  optional?: boolean;
  wired?: boolean;
  /** In a widget's place: shown only while it is of use. */
  quiet?: boolean;
  /** Too small to be seen: only the place where wires end. */
  bare?: boolean;
}

const PICTURES = new Set(["Image", "Latent", "Mask"]);
const ALWAYS_NAMED = new Set(["Latent", "Vae"]); // kinds whose space is always written beside them

export function Socket(props: Props) {
  if (!props.bare) return <ShownSocket {...props} />;
  const { name, side } = props;
  const position = side === "in" ? Position.Left : Position.Right;
  return (
    <Handle
      id={name}
      type={side === "in" ? "target" : "source"}
      position={position}
      className="socket"
    />
  );
}

const ShownSocket = memo(function ShownSocket(props: Props) {
  const {
    node,
    name,
    title,
    description,
    side,
    optional = false,
    wired = false,
    quiet = false,
  } = props;
  const paint = usePaint(node, name, side);
  const fit = useDrag((state) => fitOf(state, node, name, side));
  const looks = useHasValue(side === "out" ? node : null);
  const size = useSize(node, side === "out" && PICTURES.has(paint.kind) ? name : null);
  const what = [typeInWords(paint), size].filter(Boolean).join(", ");
  const tooltip = [
    `${title}: ${what}`,
    optional ? t("optional") : "",
    description,
    looks ? t("Click to look at what it gave.") : "",
  ]
    .filter(Boolean)
    .join("\n");
  return (
    <>
      <Handle
        id={name}
        type={side === "in" ? "target" : "source"}
        position={side === "in" ? Position.Left : Position.Right}
        className={quiet ? "socket socket-quiet" : "socket"}
        role="button"
        aria-label={`${title}, ${side === "in" ? t("input") : t("output")}: ${what}, ${shapeOf(paint.kind).word}`}
        title={tooltip}
        tabIndex={-1}
        onKeyDown={(event) => socketKeys(event, { node, socket: name, side })}
        onClick={(event) => {
          // A finger connects; what a node gave is in its menu, too.
          const touches = (event.nativeEvent as PointerEvent).pointerType === "touch";
          if (!touches && looks) lookAt(node, name);
          if (!touches) return;
          tapSocket({ node, socket: name, side }, { x: event.clientX, y: event.clientY });
        }}
        data-socket={`${node}:${name}:${side}`}
        data-kind={paint.kind}
        data-fit={fit}
        data-optional={optional || undefined}
        data-wired={wired || undefined}
        data-looks={looks || undefined}
      >
        <SocketShape paint={paint} />
      </Handle>
      {size && <span className="socket-size">{size}</span>}
      {paint.short && (
        <span className="socket-short" data-always={ALWAYS_NAMED.has(paint.kind) || undefined}>
          {paint.short}
        </span>
      )}
    </>
  );
});
