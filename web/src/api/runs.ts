/** What is told of the worker, of runs, and by the event socket. */

import type { Json, Workflow } from "./types";

export interface WorkerStatus {
  state: "starting" | "ready" | "busy" | "stopped";
  device?: string | null;
  message?: string | null;
}

export type RunStatus = "waiting" | "interrupted" | "running" | "finished" | "failed" | "cancelled";
export type NodeState = "waiting" | "running" | "cached" | "finished" | "failed" | "cancelled";

export interface RunOutput {
  node: string;
  kind: string;
  /** A file; null where `data` is all there is. */
  url: string | null;
  thumbnail?: string | null;
  data?: Json;
}

export interface RunAnswer {
  id: string;
  status: RunStatus;
  name?: string;
  batch?: string | null;
  /** The run that this one repeats. */
  copy_of?: string | null;
  /** A higher one is run earlier. */
  priority?: number;
  created?: number | string | null;
  started?: number | string | null;
  finished?: number | string | null;
  outputs?: RunOutput[];
  error?: string | null;
  workflow?: Workflow;
  nodes?: Record<string, { state: NodeState; seconds?: number | null; message?: string | null }>;
}

/** What one text encoder makes of a prompt; a piece is start and end (characters), weight and chunk. */
export interface EncoderCount {
  encoder: string;
  tokens: number;
  /** So many tokens fit into a chunk; null where the encoder knows no chunks. */
  room: number | null;
  chunks: number;
  pieces: [number, number, number, number][];
  /** Each embedding that the prompt names: start and end, its name, and how many tokens it is here. */
  embeddings?: [number, number, string, number][];
}

export interface TokensAnswer {
  encoders: EncoderCount[];
  trouble: string;
}

export interface WorkflowList {
  templates: { name: string; title: string; description?: string; picture?: string | null }[];
  saved: { name: string; modified: number | string }[];
}

/** What the event socket sends; `seq` is missing on previews, which are not replayed. */
export type ServerEvent = { seq?: number; epoch?: string } & (
  | { type: "hello"; epoch: string; seq: number }
  /** Nothing new: everything up to `seq` was sent. */
  | { type: "beat"; epoch: string; seq: number }
  | { type: "snapshot"; runs: RunAnswer[] }
  | ({ type: "worker" } & WorkerStatus)
  | { type: "run"; run: string; status: RunStatus; error?: RunAnswer["error"] }
  | {
      type: "node";
      run: string;
      node: string;
      state: NodeState;
      seconds?: number | null;
      message?: string | null;
      memory?: number | null;
    }
  | { type: "progress"; run: string; node: string; step: number; steps: number; label?: string }
  | {
      type: "output";
      run: string;
      node: string;
      kind: string;
      file?: string;
      area?: "output" | "temp";
      data?: Json;
      url?: string;
      thumbnail?: string | null;
    }
  | { type: "preview"; run: string; node: string; url: string }
  | { type: "note"; run: string; node: string; message: string }
  | { type: "queue" }
  | { type: "gallery" }
  | { type: "nodes" }
  | { type: "models" }
);
