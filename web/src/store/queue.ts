/** The line of runs as the server orders it, what became of those that failed, and what one can do. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { BatchAnswer, MoveTo, Pause, QueueAnswer, RunValues } from "../api/queue";
import type { RunAnswer, Workflow } from "../api/types";
import { notify } from "./ui";

interface Queue {
  pause: Pause;
  /** How many wait; `line` may name fewer. */
  waiting: number;
  running: RunAnswer[];
  /** What waits, in the server's order. */
  line: RunAnswer[];
  /** Those that failed and were not repeated since, newest first. */
  failed: RunAnswer[];
  /** The newest first. */
  batches: BatchAnswer[];
  /** What runs consist of, by run, or by batch where it is one's. */
  workflows: Record<string, Workflow>;
  /** Why the queue is not known, for people. */
  trouble: string;
}

const FAILED = 30; // failed runs that are shown
const PAUSE = 120; // milliseconds in which many events are one reason to look

export const useQueue = create<Queue>()(() => ({
  pause: "no",
  waiting: 0,
  running: [],
  line: [],
  failed: [],
  batches: [],
  workflows: {},
  trouble: "",
}));

/** The failed runs that no later one repeats. */
export function unrepeated(failed: RunAnswer[], others: RunAnswer[]): RunAnswer[] {
  const repeated = new Set([...failed, ...others].flatMap((run) => run.copy_of ?? []));
  return failed.filter((run) => !repeated.has(run.id));
}

function taken({ pause, waiting, runs }: QueueAnswer): Partial<Queue> {
  return {
    pause,
    waiting,
    running: runs.filter((run) => run.status === "running"),
    line: runs.filter((run) => run.status !== "running"),
  };
}

let asked = 0;
let answered = 0;

export async function lookAtQueue(): Promise<void> {
  const mine = ++asked;
  try {
    const [queue, failed, recent, { batches }] = await Promise.all([
      api.queue(),
      api.runs(FAILED, "failed"),
      api.runs(60),
      api.batches(),
    ]);
    if (mine < answered) return; // a later question was answered first
    answered = mine;
    const others = [...queue.runs, ...recent.runs];
    const left = unrepeated(failed.runs, others);
    useQueue.setState({ ...taken(queue), failed: left, batches, trouble: "" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    useQueue.setState({ trouble: error.message });
  }
}

let timer: ReturnType<typeof setTimeout> | undefined;
let looking = false;

/** Look once for all events of a moment, and not again before that look has been answered. */
export function lookAtQueueSoon(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    if (looking) return lookAtQueueSoon();
    looking = true;
    void lookAtQueue().finally(() => {
      looking = false;
    });
  }, PAUSE);
}

/** Do something to the queue and look at what came of it; a refusal is told. */
async function doing(what: () => Promise<unknown>): Promise<void> {
  try {
    await what();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify("error", error.message);
  }
  await lookAtQueue();
}

export const pauseQueue = (pause: Pause) => doing(() => api.pauseQueue(pause));
export const moveRun = (id: string, to: MoveTo) => doing(() => api.move(id, to));
export const cancelQueue = (batch: string | null = null) => doing(() => api.cancelQueue(batch));
export const prioritise = (id: string, priority: number) =>
  doing(() => api.prioritise(id, priority));
export const forgetRun = (id: string) => doing(() => api.forget([id]));

/** Put runs like these into the queue, one after the other; stops at the first that is refused. */
export const repeatRuns = (ids: readonly string[]) =>
  doing(async () => {
    for (const id of ids) await api.again(id);
  });

/** Give a waiting run other values, or queue one like it that has them. Throws `ApiError`. */
export async function changeRun(id: string, how: "edit" | "again", values: RunValues) {
  await (how === "edit" ? api.editRun(id, values) : api.again(id, values));
  useQueue.setState(({ workflows }) => ({ workflows: without(workflows, id) }));
  learning.delete(id);
  await lookAtQueue();
}

function without<T>(all: Record<string, T>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([other]) => other !== key));
}

/** Run again what failed of a batch. */
export const repeatFailed = (batch: string) =>
  doing(async () => {
    const { cells } = await api.batch(batch);
    const failed = cells.filter(({ run }) => run.status === "failed");
    for (const { run } of failed) await api.again(run.id);
  });

/** Where a run of the line goes that moves by `by` places; null where it stays. */
export function movedBy(line: readonly RunAnswer[], id: string, by: -1 | 1): MoveTo | null {
  const at = line.findIndex((run) => run.id === id);
  const to = at + by;
  if (at < 0 || to < 0 || to >= line.length) return null;
  const before = line[by < 0 ? to : to + 1];
  return before ? { before: before.id } : {};
}

/** Where a run goes that is dropped upon another one: it takes that one's place. */
export function droppedOn(line: readonly RunAnswer[], id: string, on: string): MoveTo | null {
  const from = line.findIndex((run) => run.id === id);
  const to = line.findIndex((run) => run.id === on);
  if (from < 0 || to < 0 || from === to) return null;
  const before = line[from < to ? to + 1 : to];
  return before ? { before: before.id } : {};
}

const keyOf = (run: RunAnswer) => run.batch ?? run.id;

/** What a run consists of, once it is known. */
export const workflowOf = (run: RunAnswer, workflows: Queue["workflows"]): Workflow | undefined =>
  workflows[keyOf(run)];

const learning = new Set<string>();

/** Learn what a run consists of, to call its nodes by their names. Asked for once. */
export async function learnWorkflow(run: RunAnswer): Promise<void> {
  if (learning.has(keyOf(run))) return;
  learning.add(keyOf(run));
  try {
    const { workflow } = await api.runOf(run.id);
    if (!workflow) return;
    useQueue.setState(({ workflows }) => ({ workflows: { ...workflows, [keyOf(run)]: workflow } }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // it was forgotten meanwhile: its ids are shown
  }
}
