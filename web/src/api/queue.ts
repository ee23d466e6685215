/** The forms of data about the queue and about batches, named as the server names them. */

import type { Json, Problem, RunAnswer, RunStatus, Workflow } from "./types";

/** `after`: no other run is begun; `now`: and what runs is put back in line. */
export type Pause = "no" | "after" | "now";

/** What runs, then what waits in the order in which it will be run. */
export interface QueueAnswer {
  pause: Pause;
  /** How many wait; `runs` may name fewer. */
  waiting: number;
  runs: RunAnswer[];
}

/** Where a waiting run goes: just before another one, to the front, or (neither) behind all. */
export type MoveTo = { before: string } | { front: true } | Record<string, never>;

/** Values by node and widget. */
export type RunValues = Record<string, Record<string, Json>>;

export interface Place {
  node: string;
  widget: string;
}

interface Grouped {
  title: string;
  /** Axes of one group advance together; those of different groups are multiplied. */
  group: string;
}

type Of<Kind> = Kind & { at: Place };

export type BatchAxis = Grouped &
  (
    | Of<{ kind: "values"; values: Json[] }>
    | Of<{ kind: "range"; start: number; stop: number; count: number }>
    | Of<{ kind: "seeds"; count: number; seed: Json; how: "random" | "increment" }>
    | Of<{ kind: "lines"; file: string }>
    | Of<{ kind: "wildcards"; text: string | null; count: number; seed: Json }>
    | { kind: "columns"; file: string; columns: Record<string, Place> }
  );

export interface BatchRequest {
  workflow: Workflow;
  recipe: { axes: BatchAxis[] };
  name: string;
  on_error: "continue" | "stop";
}

/** An axis as people read it. */
export interface AxisAnswer {
  title: string;
  labels: string[];
}

export interface BatchPlan {
  count: number;
  axes: AxisAnswer[];
  /** Of the first runs. */
  names: string[];
  problems: Problem[];
  runnable: boolean;
  /** How long it would take, where that is known. */
  seconds?: number | null;
}

export interface BatchAnswer {
  id: string;
  name: string;
  /** Seconds since 1970. */
  created: number;
  on_error: "continue" | "stop";
  counts: Partial<Record<RunStatus, number>>;
  axes: AxisAnswer[];
}

/** A batch with the newest run of each place in the grid of its axes. */
export interface BatchGrid extends BatchAnswer {
  cells: { cell: number[]; run: RunAnswer }[];
}
