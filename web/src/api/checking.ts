/** What the checker says: problems, types, where a wire may go, which file would fit. */

import type { Axis, Certainty, Edit, Json } from "./types";

/** What a person says of a file: whose latents it speaks; null takes it back. */
export interface Statement {
  folder: string;
  name: string;
  space: string | null;
}

export interface Fix {
  title: string;
  edits: Edit[];
  /** What is said of a file in place of any edit. */
  statement?: Statement | null;
}

export interface Because {
  node: string;
  socket: string;
  space: string;
  evidence: string;
  certainty: Certainty;
  path: string[];
}

export interface Problem {
  code: string;
  severity: "error" | "warning";
  node: string | null;
  socket: string | null;
  message: string;
  parameters?: Record<string, Json>;
  because: Because[];
  fixes: Fix[];
}

export interface SocketSpace {
  axis: Axis;
  candidates: string[] | null;
  certainty?: Certainty;
}

export interface SocketType {
  kind: string;
  spaces: SocketSpace[];
}

export interface NodeTypes {
  inputs: Record<string, SocketType>;
  outputs: Record<string, SocketType>;
}

export interface CheckAnswer {
  problems: Problem[];
  types: Record<string, NodeTypes>;
  runnable: boolean;
}

/** The answer to a check: after a base, `types` holds what became other, and `gone` the nodes without any now. */
export interface CheckedAnswer extends CheckAnswer {
  /** The name of this answer; null where a change cannot be told after it. */
  base: string | null;
  gone: string[];
}

/** What a run would do, as the worker's cache is now. */
export interface PlanAnswer {
  cached: number;
  to_run: number;
  lazy: number;
  seconds: number | null;
  refused: string | null;
  /** Bytes that its models are estimated to take together, and what one node uses at once. */
  models?: number;
  at_once?: number;
  /** Bytes that models may take; 0 where nobody knows. */
  budget?: number;
}

export interface Target {
  node: string;
  socket: string;
  ok: boolean;
  code?: string | null;
  reason?: string | null;
}

export interface TargetsAnswer {
  targets: Target[];
  types: { type: string; socket: string; ok: boolean }[];
}

export interface SpacesAnswer {
  latent: Record<string, { title: string; short: string; channels?: number; downscale?: number }>;
  text: Record<string, { title: string; short: string }>;
}

/** The files that do not fit where a loader stands; all others do. */
export interface MisfitsAnswer {
  misfits: { name: string; code: string; reason: string }[];
}

/** An embedding that a prompt may name as `text`; `against` says why not, or is "". */
export interface Completion {
  file: string;
  text: string;
  family: string | null;
  spaces: string[];
  /** So many tokens it takes. */
  vectors: number;
  against: string;
}
