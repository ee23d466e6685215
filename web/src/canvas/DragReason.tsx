/** While a wire is dragged over a socket that cannot take it: why not, beside the socket. */

import { useConnection } from "@xyflow/react";
import { createPortal } from "react-dom";
import { useDrag } from "../store/drag";
import { t } from "../i18n/t";

export function DragReason() {
  const over = useConnection((connection) =>
    connection.inProgress && connection.toHandle
      ? `${connection.toHandle.nodeId}:${connection.toHandle.id}:${connection.toHandle.type === "target" ? "in" : "out"}`
      : null,
  );
  const from = useDrag((state) => state.from);
  const target = useDrag((state) =>
    over ? state.targets?.[over.replace(/:(in|out)$/, "")] : undefined,
  );
  if (!over || !from || !target || target.ok) return null;
  if (over.startsWith(`${from.node}:${from.socket}:${from.side}`)) return null;
  const socket = document
    .querySelector(`[data-socket="${CSS.escape(over)}"]`)
    ?.getBoundingClientRect();
  if (!socket) return null;
  return createPortal(
    <div
      className="drag-reason"
      role="status"
      style={{ left: socket.right + 12, top: socket.top - 8 }}
    >
      {target.reason ?? t("This socket cannot take that wire.")}
    </div>,
    document.body,
  );
}
