/** The hand with a wire in it: what React Flow reports, and what is made of it. */

import type { Connection, FinalConnectionState, OnConnectStartParams } from "@xyflow/react";
import { useCallback, useMemo, useRef } from "react";
import { edit } from "../store/documents";
import { beginDrag, endDrag } from "../store/drag";
import { type DragOrigin, ui } from "../store/ui";
import { disconnect, type Point } from "../workflow/edits";
import { drop, dropOnNode, ends } from "./connect";
import { type FlowEdge, ofEdgeId } from "./flow";
import { toCanvas } from "./instance";

function pointOf(event: MouseEvent | TouchEvent): Point {
  const touch = "changedTouches" in event ? event.changedTouches[0] : event;
  return { x: touch?.clientX ?? 0, y: touch?.clientY ?? 0 };
}

export function useConnecting() {
  const from = useRef<DragOrigin | null>(null);
  /** The wire whose end is in the hand, to be put elsewhere or taken away. */
  const held = useRef<FlowEdge | null>(null);

  const onConnectStart = useCallback((_event: unknown, params: OnConnectStartParams) => {
    ui({ refusal: null });
    if (!params.nodeId || !params.handleId) return;
    const side = params.handleType === "target" ? "in" : "out";
    from.current = { node: params.nodeId, socket: params.handleId, side };
    beginDrag(from.current);
  }, []);

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const origin = from.current;
      from.current = null;
      endDrag();
      if (!origin || held.current) return;
      const screen = pointOf(event);
      const to = state.toHandle;
      if (to?.id) {
        const side = to.type === "target" ? "in" : "out";
        if (side !== origin.side) void drop(origin, to.nodeId, to.id, screen);
        return;
      }
      const under = document.elementFromPoint(screen.x, screen.y);
      const node = under?.closest("[data-node]")?.getAttribute("data-node");
      if (node) {
        if (node !== origin.node) void dropOnNode(origin, node, screen);
      } else if (under?.closest(".react-flow__pane")) {
        ui({ nodeMenu: { screen, at: toCanvas(screen), from: origin } });
      }
    },
    [],
  );

  const onReconnectStart = useCallback((_event: unknown, edge: FlowEdge) => {
    held.current = edge;
  }, []);

  const onReconnect = useCallback((edge: FlowEdge, to: Connection) => {
    const old = ofEdgeId(edge.id);
    if (!to.targetHandle || !to.sourceHandle) return;
    if (to.target === old.node && to.targetHandle === old.socket && to.source === edge.source) {
      if (to.sourceHandle === edge.sourceHandle) return;
    }
    const origin: DragOrigin = { node: to.source, socket: to.sourceHandle, side: "out" };
    const wanted = ends(origin, to.target, to.targetHandle);
    const moved = old.node !== wanted.node || old.socket !== wanted.socket;
    void moveWire(origin, wanted, moved ? old : null);
  }, []);

  const onReconnectEnd = useCallback(
    (
      event: MouseEvent | TouchEvent,
      edge: FlowEdge,
      _side: unknown,
      state: FinalConnectionState,
    ) => {
      held.current = null;
      endDrag();
      const { x, y } = pointOf(event);
      const onPane = document.elementFromPoint(x, y)?.closest(".react-flow__pane");
      if (state.toHandle || !onPane) return;
      const old = ofEdgeId(edge.id);
      edit((workflow) => disconnect(workflow, old.node, old.socket));
    },
    [],
  );

  return useMemo(
    () => ({ onConnectStart, onConnectEnd, onReconnectStart, onReconnect, onReconnectEnd }),
    [onConnectStart, onConnectEnd, onReconnectStart, onReconnect, onReconnectEnd],
  );
}

/** Put a wire's end elsewhere: asked like a new wire, and then the old place is freed. */
async function moveWire(
  origin: DragOrigin,
  wanted: ReturnType<typeof ends>,
  old: { node: string; socket: string } | null,
): Promise<void> {
  const socket = document.querySelector(
    `[data-socket="${CSS.escape(`${wanted.node}:${wanted.socket}:in`)}"]`,
  );
  const box = socket?.getBoundingClientRect();
  beginDrag(origin);
  endDrag();
  await drop(origin, wanted.node, wanted.socket, { x: box?.right ?? 0, y: box?.bottom ?? 0 }, old);
}
