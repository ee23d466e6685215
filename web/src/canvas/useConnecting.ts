/** The hand with a wire in it: what React Flow reports, and what is made of it. */

import type { Connection, FinalConnectionState, OnConnectStartParams } from "@xyflow/react";
import { useCallback, useMemo, useRef } from "react";
import { activeWorkflow, edit } from "../store/documents";
import { beginDrag, endDrag } from "../store/drag";
import { type DragOrigin, ui } from "../store/ui";
import { disconnect, type Point } from "../workflow/edits";
import { sourceOf } from "../workflow/reroutes";
import { ofThing } from "../workflow/things";
import { drop, dropOnDot, dropOnNode, ends } from "./connect";
import { type FlowEdge, ofEdgeId } from "./flow";
import { toCanvas } from "./instance";

function pointOf(event: MouseEvent | TouchEvent): Point {
  const touch = "changedTouches" in event ? event.changedTouches[0] : event;
  return { x: touch?.clientX ?? 0, y: touch?.clientY ?? 0 };
}

/** Where a drag began; a dot stands for the output of its wires. Null where nothing leads there. */
function originOf(node: string, handle: string, side: "in" | "out"): DragOrigin | null {
  const { kind, id } = ofThing(node);
  if (kind !== "dot") return { node, socket: handle, side };
  const source = sourceOf(activeWorkflow(), id);
  return source && { node: source.node, socket: source.output, side: "out", via: id };
}

export function useConnecting() {
  const from = useRef<DragOrigin | null>(null);
  /** The wire whose end is in the hand, to be put elsewhere or taken away. */
  const held = useRef<FlowEdge | null>(null);

  const onConnectStart = useCallback((_event: unknown, params: OnConnectStartParams) => {
    ui({ refusal: null });
    if (!params.nodeId || !params.handleId) return;
    const side = params.handleType === "target" ? "in" : "out";
    from.current = originOf(params.nodeId, params.handleId, side);
    if (from.current) beginDrag(from.current);
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
        const dot = ofThing(to.nodeId);
        if (side === origin.side) return;
        if (dot.kind === "dot") void dropOnDot(origin, dot.id, screen);
        else void drop(origin, to.nodeId, to.id, screen);
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
    const origin = originOf(to.source, to.sourceHandle, "out");
    if (!origin || ofThing(to.target).kind !== "node") return;
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
