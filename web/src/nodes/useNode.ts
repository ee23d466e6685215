/** What one node on the canvas needs to know, picked so that it redraws only when that changes. */

import { useStore } from "@xyflow/react";
import { useEffect, useMemo, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import type { NodeDefinition, Problem, SocketType } from "../api/types";
import { inTurn } from "../canvas/turns";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { activeWorkflow, useActive, usePrefix } from "../store/documents";
import { nodeRunOf, runningOf } from "../store/inside";
import {
  isOver,
  type NodeRun,
  type Progress,
  type Shown,
  shownOutputs,
  shownRun,
  useRuns,
} from "../store/runs";
import { type Paint, paintOf } from "../theme/spaces";
import { kindOf, type NodeRows, rowsOf, rowsOfUnknown } from "../workflow/sockets";

/** 0: everything; 1: title and sockets; 2: a coloured block. */
export type Detail = 0 | 1 | 2;

/** What a node shows at this zoom; when that changes, the nodes follow a few at a time. */
export function useDetail(): Detail {
  const wanted = useStore(({ transform: [, , zoom] }) => (zoom < 0.2 ? 2 : zoom < 0.45 ? 1 : 0));
  const [detail, setDetail] = useState<Detail>(wanted);
  useEffect(
    () => (wanted === detail ? undefined : inTurn(() => setDetail(wanted))),
    [wanted, detail],
  );
  return detail;
}

const NO_PROBLEMS: Problem[] = [];
const NO_OUTPUTS: Shown[] = [];

export function useDefinition(type: string | undefined): NodeDefinition | undefined {
  return useCatalogue((state) => (type ? state.definitions[type] : undefined));
}

/**
 * How loud a problem is. Errors of nodes that no wanted output needs keep nothing from running:
 * they are shown as warnings.
 */
export function useSeverity(): (problem: Problem) => Problem["severity"] {
  const runnable = useChecks((state) => state.runnable);
  return ({ severity }) => (runnable ? "warning" : severity);
}

export function useProblems(id: string): Problem[] {
  return useChecks((state) => state.byNode[id] ?? NO_PROBLEMS);
}

/** The node's rows. A node of an unknown type shows the sockets that its wires use. */
export function useRows(id: string): NodeRows | null {
  const node = useActive((document) => document.workflow.nodes[id]);
  const definition = useDefinition(node?.type);
  return useMemo(() => {
    if (!node) return null;
    return definition ? rowsOf(definition, node) : rowsOfUnknown(activeWorkflow(), id);
  }, [id, node, definition]);
}

/** How a socket is painted: by the checker's answer, or grey before there is one. */
export function usePaint(node: string, socket: string, side: "in" | "out"): Paint {
  const type = useActive((document) => document.workflow.nodes[node]?.type);
  const definition = useDefinition(type);
  const checked = useChecks(
    (state) => state.types[node]?.[side === "in" ? "inputs" : "outputs"][socket],
  );
  const spaces = useCatalogue((state) => state.spaces);
  return useMemo(() => {
    const unchecked: SocketType = { kind: kindOf(definition, socket, side), spaces: [] };
    return paintOf(checked ?? unchecked, spaces);
  }, [checked, definition, socket, side, spaces]);
}

export interface Progressing {
  run: NodeRun | undefined;
  progress: Progress | undefined;
  preview: string | undefined;
}

/** How far the shown run is with this node. */
export function useNodeRun(id: string): Progressing {
  const ids = useActive((document) => document.runs);
  const name = usePrefix() + id;
  const run = useRuns(useShallow((state) => nodeRunOf(shownRun(state.runs, ids), name)));
  const progress = useRuns((state) => runningOf(shownRun(state.runs, ids), name, "progress"));
  const preview = useRuns((state) => {
    const shown = shownRun(state.runs, ids);
    // A preview makes way for the result, so that nodes return to their size; without a result it stays.
    return shown && (!isOver(shown.status) || shown.outputs.length === 0)
      ? runningOf(shown, name, "previews")
      : undefined;
  });
  return { run, progress, preview };
}

export function useOutputs(id: string): Shown[] {
  const ids = useActive((document) => document.runs);
  const name = usePrefix() + id;
  const key = useRuns((state) => outputsKey(shownOutputs(state.runs, ids, name)));
  // The key changes exactly when the outputs do, so the list is made anew only then.
  return useMemo(
    () => (key ? shownOutputs(useRuns.getState().runs, ids, name) : NO_OUTPUTS),
    [key, ids, name],
  );
}

function outputsKey(shown: Shown[]): string {
  const first = shown[0];
  return first ? `${first.run}/${first.index}/${shown.length}` : "";
}
