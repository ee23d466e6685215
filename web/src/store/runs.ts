/** Runs as the page knows them: from the event socket, and from the server's list. */

import { create } from "zustand";
import { api, ApiError, fileUrl } from "../api/client";
import type { NodeState, RunAnswer, RunOutput, RunStatus, ServerEvent } from "../api/types";
import { patiently } from "./catalogue";
import type { Experience, Signature } from "../workflow/forecast";

export interface NodeRun {
  state: NodeState;
  seconds?: number | null;
  message?: string | null;
  /** Bytes that models took when it was done; known of runs that this page watched. */
  memory?: number | null;
}

export interface Progress {
  step: number;
  steps: number;
  label: string;
}

export interface Run {
  id: string;
  status: RunStatus;
  /** Milliseconds since 1970. */
  created: number;
  started: number | null;
  finished: number | null;
  nodes: Record<string, NodeRun>;
  progress: Record<string, Progress>;
  previews: Record<string, string>;
  outputs: RunOutput[];
  /** Why it failed, for people. */
  error: string | null;
}

interface Runs {
  runs: Record<string, Run>;
  /** Ids, newest first. */
  order: string[];
  experience: Experience;
}

const SHOWN = 60; // runs that the gallery holds

export const useRuns = create<Runs>()(() => ({
  runs: {},
  order: [],
  experience: { done: new Map(), byType: new Map() },
}));

/** Signatures and types of the nodes of runs that this page started. */
const submitted = new Map<string, Map<string, { signature: Signature; type: string }>>();

/** Remember what a run consists of. Events may be faster than the answer, so those that came are learnt now. */
export function rememberSubmitted(
  run: string,
  nodes: Map<string, { signature: Signature; type: string }>,
): void {
  submitted.set(run, nodes);
  for (const [node, state] of Object.entries(useRuns.getState().runs[run]?.nodes ?? {}))
    learn(run, node, state);
}

function milliseconds(time: number | string | null | undefined): number | null {
  if (time === null || time === undefined) return null;
  if (typeof time === "number") return time < 1e11 ? time * 1000 : time;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? null : parsed;
}

export function emptyRun(id: string, status: RunStatus = "waiting"): Run {
  return {
    id,
    status,
    created: Date.now(),
    started: null,
    finished: null,
    nodes: {},
    progress: {},
    previews: {},
    outputs: [],
    error: null,
  };
}

/** The run after what the server answered about it. */
export function merged(run: Run, answer: RunAnswer): Run {
  // What is over stays so: an answer that was long on its way is older than the events.
  if (isOver(run.status) && !isOver(answer.status)) return run;
  return {
    ...run,
    status: answer.status,
    created: milliseconds(answer.created) ?? run.created,
    started: milliseconds(answer.started) ?? run.started,
    finished: milliseconds(answer.finished) ?? run.finished,
    nodes: answer.nodes && Object.keys(answer.nodes).length ? answer.nodes : run.nodes,
    outputs: answer.outputs ?? run.outputs,
    error: answer.error ?? run.error,
  };
}

/** The run after one event. An event that says nothing new gives the same run. */
export function after(run: Run, event: ServerEvent): Run {
  switch (event.type) {
    case "run":
      return {
        ...run,
        status: event.status,
        error: event.error ?? run.error,
        started: run.started ?? (event.status === "running" ? Date.now() : null),
        finished: isOver(event.status) ? (run.finished ?? Date.now()) : null,
      };
    case "node": {
      const { state, seconds, message, memory } = event;
      return { ...run, nodes: { ...run.nodes, [event.node]: { state, seconds, message, memory } } };
    }
    case "progress": {
      const { step, steps, label = "" } = event;
      return { ...run, progress: { ...run.progress, [event.node]: { step, steps, label } } };
    }
    case "preview":
      return { ...run, previews: { ...run.previews, [event.node]: event.url } };
    case "output": {
      const output = outputOf(event);
      const known = run.outputs.some(
        (o) => o.node === output.node && o.url === output.url && o.url,
      );
      return known ? run : { ...run, outputs: [...run.outputs, output] };
    }
    default:
      return run;
  }
}

function outputOf(event: Extract<ServerEvent, { type: "output" }>): RunOutput {
  const { node, kind, area = "output", file = "", data } = event;
  const url = event.url ?? (file ? fileUrl(area, file) : null);
  const thumbnail = event.thumbnail ?? (file ? fileUrl(area, file, 512) : null);
  return { node, kind, url, thumbnail, data };
}

export function isOver(status: RunStatus): boolean {
  return status === "finished" || status === "failed" || status === "cancelled";
}

function put(id: string, change: (run: Run) => Run): void {
  useRuns.setState((state) => {
    const known = state.runs[id];
    const run = change(known ?? emptyRun(id));
    if (run === known) return state;
    const order = known ? state.order : [id, ...state.order];
    return { runs: { ...state.runs, [id]: run }, order };
  });
}

/** A run that was just accepted. One that events told of already is further on than this answer. */
export function addRun(answer: RunAnswer): void {
  if (!useRuns.getState().runs[answer.id]) put(answer.id, (run) => merged(run, answer));
}

export function receive(event: ServerEvent): void {
  if (event.type === "snapshot") {
    for (const run of event.runs) put(run.id, (old) => merged(old, run));
    void refreshRuns(); // what ended while nobody listened
    return;
  }
  if (!("run" in event)) return;
  if (event.type === "node") learn(event.run, event.node, event);
  put(event.run, (run) => after(run, event));
}

/** Keep how long a node took, for the forecast of the next run. */
function learn(run: string, id: string, event: NodeRun): void {
  if (event.state !== "finished" && event.state !== "cached") return;
  const node = submitted.get(run)?.get(id);
  if (!node) return;
  useRuns.setState(({ experience }) => {
    const seconds = event.seconds ?? 0;
    experience.done.set(node.signature, seconds);
    if (event.state === "finished") experience.byType.set(node.type, seconds);
    return { experience: { ...experience } };
  });
}

/** A run that the server does not know any more is over. */
const gone =
  (id: string) =>
  (error: unknown): RunAnswer => {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return { id, status: "cancelled" };
  };

export async function refreshRuns(): Promise<void> {
  const { runs } = await patiently(() => api.runs(SHOWN));
  const told = new Set(runs.map((run) => run.id));
  const lost = activeRuns(useRuns.getState()).filter((run) => !told.has(run.id));
  for (const { id } of lost) {
    const answer = await patiently(() => api.runOf(id)).catch(gone(id));
    runs.push(answer);
  }
  useRuns.setState((state) => {
    const all = { ...state.runs };
    for (const answer of runs)
      all[answer.id] = merged(all[answer.id] ?? emptyRun(answer.id), answer);
    const order = Object.keys(all).sort((a, b) => (all[b]?.created ?? 0) - (all[a]?.created ?? 0));
    return { runs: all, order: order.slice(0, SHOWN * 2) };
  });
}

export function activeRuns(state: Pick<Runs, "runs" | "order">): Run[] {
  return state.order.flatMap((id) => {
    const run = state.runs[id];
    return run && !isOver(run.status) ? [run] : [];
  });
}

/** The run that a document shows at its nodes: the running one, else the newest that has begun. */
export function shownRun(runs: Record<string, Run>, ids: readonly string[]): Run | undefined {
  const known = ids.flatMap((id) => runs[id] ?? []);
  return (
    known.find((run) => run.status === "running") ??
    known.find((run) => run.status !== "waiting") ??
    known[0]
  );
}

export interface Shown {
  run: string;
  /** The output's number in its run. */
  index: number;
  output: RunOutput;
}

/** What a node made when it last made anything, looked for in the document's newest runs. */
export function shownOutputs(
  runs: Record<string, Run>,
  ids: readonly string[],
  node: string,
): Shown[] {
  for (const id of ids) {
    const outputs = runs[id]?.outputs ?? [];
    const found = outputs.flatMap((output, index) =>
      output.node === node || output.node.startsWith(`${node}/`)
        ? [{ run: id, index, output }]
        : [],
    );
    if (found.length) return found;
  }
  return [];
}
