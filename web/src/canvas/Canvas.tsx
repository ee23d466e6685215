/** The canvas: React Flow drawing our workflow, and telling us what the hand does. */

import { type EdgeChange, ReactFlow, type ReactFlowInstance, SelectionMode } from "@xyflow/react";
import {
  type DragEvent,
  type MouseEvent,
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Workflow } from "../api/types";
import { DotView } from "../nodes/DotView";
import { GroupView } from "../nodes/GroupView";
import { NodeView } from "../nodes/NodeView";
import { NoteView } from "../nodes/NoteView";
import { enterByHand } from "../store/levels";
import { useCatalogue } from "../store/catalogue";
import { useOverview } from "../store/overview";
import { activeWorkflow, levelKey, useActive, useWhole } from "../store/documents";
import { useSettings } from "../store/settings";
import { type MenuPlace, ui } from "../store/ui";
import { useView, viewports } from "../store/view";
import type { Point } from "../workflow/edits";
import { ofThing } from "../workflow/things";
import { Dots } from "./Dots";
import { DragReason } from "./DragReason";
import { estimateOf } from "./estimate";
import { type FlowEdge, flowEdges, type FlowNode, flowNodes, type ViewState } from "./flow";
import { beginning, firstViewport, fitBeginning, FURTHEST, MANY, rememberInstance } from "./instance";
import { Minimap } from "./Minimap";
import { HEARD } from "./heard";
import { Overview } from "./Overview";
import { dropType } from "./onWire";
import { GuideLines } from "./GuideLines";
import { listenToTouch, stopTapping } from "./touch";
import { useConnecting } from "./useConnecting";
import { useNodeChanges } from "./useMoving";
import { Wire } from "./Wire";

const NODE_TYPES = { node: NodeView, dot: DotView, group: GroupView, note: NoteView };
const EDGE_TYPES = { wire: Wire };
const NO_EDGES: FlowEdge[] = [];
export const NODE_MIME = "application/x-latent-loom-node";

/** The document's nodes and edges for React Flow; what did not change stays the same object. */
function useFlow(): { nodes: FlowNode[]; edges: FlowEdge[] } {
  const workflow = useActive((document) => document.workflow);
  const selected = useView((state) => state.selected);
  const selectedWires = useView((state) => state.selectedWires);
  const measured = useView((state) => state.measured);
  const estimate = useEstimate(workflow);
  const shown = useShownInOverview(selected);
  const near = useOverview((state) => state.near);
  const last = useRef<{ nodes: FlowNode[]; wires: FlowEdge[] }>({ nodes: [], wires: [] });
  const nodes = useMemo(() => {
    const view = { selected, measured, shown, estimate };
    return (last.current.nodes = flowNodes(workflow, view, last.current.nodes));
  }, [workflow, selected, measured, shown, estimate]);
  const all = shown === null;
  const some = near.size > 0;
  const wires = useMemo(() => {
    if (!all && !some) return NO_EDGES;
    return (last.current.wires = flowEdges(workflow, selectedWires, last.current.wires));
  }, [workflow, selectedWires, all, some]);
  const edges = useMemo(() => (all ? wires : at(near, wires)), [all, near, wires]);
  return { nodes, edges };
}

/** The pieces of wires that begin or end at these nodes. */
const at = (nodes: ReadonlySet<string>, wires: FlowEdge[]): FlowEdge[] =>
  wires.filter(({ source, target }) => nodes.has(source) || nodes.has(target));

/** Of many nodes only those in sight are drawn, so the others' sizes are reckoned. */
function useEstimate(workflow: Workflow): ViewState["estimate"] {
  const definitions = useCatalogue((state) => state.definitions);
  const many = Object.keys(workflow.nodes).length >= MANY;
  return useMemo(() => {
    if (!many) return undefined;
    return (id, width) =>
      estimateOf(workflow, id, definitions[workflow.nodes[id]?.type ?? ""], width);
  }, [many, workflow, definitions]);
}

const FEW = 20; // chosen nodes up to this many are elements in the overview, too

/** The nodes that are elements while the rest is painted; null where all are. */
function useShownInOverview(selected: ReadonlySet<string>): ReadonlySet<string> | null {
  const on = useOverview((state) => state.on);
  const hovered = useOverview((state) => state.hovered);
  const near = useOverview((state) => state.near);
  return useMemo(() => {
    if (!on) return null;
    const shown = new Set([...near, ...(selected.size <= FEW ? selected : [])]);
    if (hovered) shown.add(hovered);
    return shown;
  }, [on, hovered, near, selected]);
}

function useEdgeChanges() {
  return useCallback((changes: EdgeChange<FlowEdge>[]) => {
    const selected = new Set(useView.getState().selectedWires);
    for (const change of changes) {
      if (change.type !== "select") continue;
      if (change.selected) selected.add(change.id);
      else selected.delete(change.id);
    }
    useView.setState({ selectedWires: selected });
  }, []);
}

export function Canvas() {
  const id = useWhole(levelKey);
  return <DocumentCanvas key={id} id={id} />;
}

/**
 * Nodes grow when their definitions come: then everything is fitted anew, unless a hand moved the view.
 * True once the view moves by itself no more.
 */
function useFitWhenKnown(moved: RefObject<boolean>): boolean {
  const ready = useCatalogue((state) => state.ready);
  const [settled, setSettled] = useState(ready);
  useEffect(() => {
    if (!ready || settled) return;
    const fit = async () => {
      if (!moved.current) await fitBeginning(activeWorkflow().layout);
      setSettled(true);
    };
    const timer = setTimeout(() => void fit(), 100); // once they are measured
    return () => clearTimeout(timer);
  }, [ready, settled, moved]);
  return settled;
}

function DocumentCanvas({ id }: { id: string }) {
  const { nodes, edges } = useFlow();
  const onNodesChange = useNodeChanges();
  const onEdgesChange = useEdgeChanges();
  const connecting = useConnecting();
  const snapGrid = useSettings((state) => state.snapGrid);
  const flow = useRef<ReactFlowInstance<FlowNode, FlowEdge> | null>(null);
  const start = useMemo(() => firstViewport(id, activeWorkflow().layout), [id]);
  const options = useMemo(() => beginning(activeWorkflow().layout), []);
  const around = useRef<HTMLDivElement>(null);
  useEffect(() => (around.current ? listenToTouch(around.current) : undefined), []);
  const moved = useRef(Boolean(start));
  const settled = useFitWhenKnown(moved);

  const at = (screen: Point): Point => flow.current?.screenToFlowPosition(screen) ?? screen;
  const screenOf = (event: { clientX: number; clientY: number }) => ({
    x: event.clientX,
    y: event.clientY,
  });
  const isPane = (event: MouseEvent) =>
    (event.target as Element).classList.contains("react-flow__pane");

  const drop = (event: DragEvent) => {
    const type = event.dataTransfer.getData(NODE_MIME);
    if (!type) return; // a file: the page takes it
    event.preventDefault();
    void dropType(type, screenOf(event), at(screenOf(event)));
  };
  const menu = (event: MouseEvent, node: string | null, place: MenuPlace = "canvas") => {
    event.preventDefault();
    const where = { screen: screenOf(event), at: at(screenOf(event)) };
    ui({ contextMenu: { ...where, node, place } });
  };
  return (
    <div
      ref={around}
      className="canvas"
      tabIndex={-1}
      data-test="canvas"
      data-settled={settled || undefined}
      onDoubleClick={(event) => {
        if (isPane(event))
          ui({ nodeMenu: { screen: screenOf(event), at: at(screenOf(event)), from: null } });
      }}
      onDragOver={(event) => event.dataTransfer.types.includes(NODE_MIME) && event.preventDefault()}
      onDrop={drop}
    >
      <ReactFlow<FlowNode, FlowEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onInit={(instance) => {
          flow.current = instance;
          rememberInstance(instance);
        }}
        defaultViewport={start}
        fitView={!start}
        fitViewOptions={options}
        onPaneClick={stopTapping}
        onMoveEnd={(event, viewport) => {
          moved.current ||= event !== null; // null: the page moved it, not a hand
          viewports.set(id, viewport);
        }}
        onNodeDoubleClick={(event, node) => enterByHand(event, node.id)}
        onNodeContextMenu={(event, node) => {
          if (!useView.getState().selected.has(node.id)) useView.getState().select([node.id]);
          menu(event, node.id, ofThing(node.id).kind);
        }}
        onEdgeContextMenu={(event, edge) => {
          useView.getState().select([], [edge.id]);
          menu(event, null, "wire");
        }}
        onPaneContextMenu={(event) => menu(event as MouseEvent, null)}
        onSelectionContextMenu={(event, chosen) => menu(event, chosen[0]?.id ?? null, "node")}
        {...connecting}
        connectionRadius={24}
        connectOnClick={false}
        minZoom={FURTHEST}
        maxZoom={4}
        snapToGrid={snapGrid}
        snapGrid={[8, 8]}
        onlyRenderVisibleElements
        edgesFocusable={false}
        zoomOnDoubleClick={false}
        deleteKeyCode={null}
        selectionKeyCode={["Shift", "Control"]}
        multiSelectionKeyCode={["Shift", "Control", "Meta"]}
        selectionMode={SelectionMode.Partial}
        panActivationKeyCode="Space"
        elevateNodesOnSelect
        ariaLabelConfig={HEARD}
        proOptions={{ hideAttribution: true }}
      >
        <Dots />
        <Overview />
        <DragReason />
        <GuideLines />
        <Minimap />
      </ReactFlow>
    </div>
  );
}
