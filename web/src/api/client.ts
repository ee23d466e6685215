/** Every HTTP question the editor asks, one function each. */

import { language } from "../i18n/language";
import type { GalleryAnswer, GalleryNames, Picture, Sought } from "./gallery";
import type {
  BatchAnswer,
  BatchGrid,
  BatchPlan,
  BatchRequest,
  MoveTo,
  Pause,
  QueueAnswer,
  RunValues,
} from "./queue";
import type {
  CheckedAnswer,
  Completion,
  Json,
  KeptSubgraph,
  MemoryAnswer,
  MisfitsAnswer,
  ModelFile,
  NodeDefinition,
  PlanAnswer,
  Problem,
  RunAnswer,
  RunStatus,
  SpacesAnswer,
  Statement,
  TargetsAnswer,
  TokensAnswer,
  WorkerStatus,
  Workflow,
  WorkflowList,
} from "./types";
import type { HistoryLimits, WorkerEntry } from "./workers";
import type { Change } from "../workflow/change";
import { t } from "../i18n/t";

/** An answer that is no success. `message` is the server's sentence; `status` 0 means it was not reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Problem[] = [],
    readonly retryAfter = 1,
  ) {
    super(message);
  }
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    const headers = { ...init?.headers, "Accept-Language": language() };
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", t("The server does not answer. Is it still running?"));
  }
  if (response.ok) return (await response.json()) as T;
  const body = await response.json().catch(() => ({}));
  const sentence =
    body?.error?.message ??
    t("The server answered {status} to {path}.", { status: response.status, path });
  const retry = Number(response.headers.get("Retry-After")) || 1;
  throw new ApiError(
    response.status,
    body?.error?.code ?? "http",
    sentence,
    body?.problems ?? [],
    retry,
  );
}

const json = (method: string, body: unknown, signal?: AbortSignal): RequestInit => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

const form = (file: Blob, name: string): RequestInit => {
  const body = new FormData();
  body.append("file", file, name);
  return { method: "POST", body };
};

const named = (area: "saved" | "templates", name: string) =>
  `/api/workflows/${area}/${encodeURIComponent(name)}`;

function galleryQuery(
  { search, date, ...sought }: Sought,
  limit: number,
  before?: number,
): URLSearchParams {
  const words = `${search} ${date}`.trim(); // a day is one of the words that a picture is found by
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries({ ...sought, search: words }))
    if (value) query.set(name, String(value));
  if (before !== undefined) query.set("before", String(before));
  return query;
}

export const api = {
  nodes: () =>
    ask<{
      version: string;
      nodes: Record<string, NodeDefinition>;
      packs: { name: string; error: string | null }[];
    }>("/api/nodes"),
  spaces: () => ask<SpacesAnswer>("/api/spaces"),
  status: () =>
    ask<{ version: string; worker: WorkerStatus; queue: { waiting: number; running: number } }>(
      "/api/status",
    ),
  workers: () => ask<{ workers: WorkerEntry[] }>("/api/workers"),
  restartWorker: (number: number) =>
    ask<unknown>(`/api/workers/${number}/restart`, json("POST", {})),
  drainWorker: (number: number, drain: boolean) =>
    ask<unknown>(`/api/workers/${number}/drain`, json("POST", { drain })),
  historyLimits: () => ask<HistoryLimits>("/api/queue/limits"),
  setHistoryLimits: (limits: HistoryLimits) =>
    ask<HistoryLimits>("/api/queue/limits", json("PUT", limits)),
  memory: () => ask<MemoryAnswer>("/api/memory"),
  freeMemory: (models: string[] | null, results: boolean, worker: number | null) =>
    ask<MemoryAnswer>("/api/memory/free", json("POST", { models, results, worker })),
  models: () => ask<Record<string, ModelFile[]>>("/api/models"),
  modelPictures: (folder: string) =>
    ask<{ pictures: Record<string, string> }>(
      `/api/models/pictures?folder=${encodeURIComponent(folder)}`,
    ),
  /** The files that do not fit where a loader stands. */
  misfits: (workflow: Workflow, node: string, widget: string, signal?: AbortSignal) =>
    ask<MisfitsAnswer>("/api/check/files", json("POST", { workflow, node, widget }, signal)),
  state: (statement: Statement) => ask<ModelFile>("/api/models/statement", json("PUT", statement)),
  check: (workflow: Workflow, signal?: AbortSignal) =>
    ask<CheckedAnswer>("/api/check", json("POST", { workflow }, signal)),
  /** The same after an answer: what is other since then. */
  checkChange: (base: string, change: Change, signal?: AbortSignal) =>
    ask<CheckedAnswer>("/api/check", json("POST", { base, ...change }, signal)),
  plan: (workflow: Workflow, signal?: AbortSignal) =>
    ask<PlanAnswer>("/api/plan", json("POST", { workflow }, signal)),
  tokens: (workflow: Workflow, node: string, text: string) =>
    ask<TokensAnswer>("/api/tokens", json("POST", { workflow, node, text })),
  /** The embeddings that a prompt may name. */
  embeddings: (workflow: Workflow, node: string, prompt: string, signal?: AbortSignal) =>
    ask<{ embeddings: Completion[] }>(
      "/api/embeddings",
      json("POST", { workflow, node, prompt }, signal),
    ),
  targets: (
    workflow: Workflow,
    from: { node: string; output: string } | { node: string; input: string },
  ) => ask<TargetsAnswer>("/api/check/targets", json("POST", { workflow, ...from })),
  run: (workflow: Workflow, wanted?: string[]) =>
    ask<RunAnswer>("/api/runs", json("POST", wanted ? { workflow, wanted } : { workflow })),
  runs: (limit: number, status?: RunStatus) =>
    ask<{ runs: RunAnswer[] }>(`/api/runs?limit=${limit}${status ? `&status=${status}` : ""}`),
  runOf: (id: string) => ask<RunAnswer>(`/api/runs/${id}`),
  cancel: (id: string) => ask<RunAnswer>(`/api/runs/${id}/cancel`, { method: "POST" }),
  /** Queue a run like this one, with these values in place of its own. */
  again: (id: string, values: RunValues = {}) =>
    ask<RunAnswer>(`/api/runs/${id}/again`, json("POST", { values })),
  editRun: (id: string, values: RunValues) =>
    ask<RunAnswer>(`/api/runs/${id}`, json("PATCH", { values })),
  prioritise: (id: string, priority: number) =>
    ask<RunAnswer>(`/api/runs/${id}/priority`, json("POST", { priority })),
  move: (id: string, to: MoveTo) => ask<RunAnswer>(`/api/runs/${id}/move`, json("POST", to)),
  queue: () => ask<QueueAnswer>("/api/queue"),
  pauseQueue: (pause: Pause) => ask<QueueAnswer>("/api/queue/pause", json("POST", { pause })),
  /** Cancel what runs and waits, of a batch or altogether. */
  cancelQueue: (batch: string | null) =>
    ask<{ cancelled: number }>("/api/queue/cancel", json("POST", { batch })),
  forget: (runs: string[]) =>
    ask<{ forgotten: number }>("/api/queue/forget", json("POST", { runs })),
  planBatch: (batch: BatchRequest, signal?: AbortSignal) =>
    ask<BatchPlan>("/api/batches/plan", json("POST", batch, signal)),
  addBatch: (batch: BatchRequest) => ask<BatchAnswer>("/api/batches", json("POST", batch)),
  batches: () => ask<{ batches: BatchAnswer[] }>("/api/batches"),
  batch: (id: string) => ask<BatchGrid>(`/api/batches/${id}`),
  gallery: (sought: Sought, limit: number, before?: number) =>
    ask<GalleryAnswer>(`/api/gallery?${galleryQuery(sought, limit, before)}`),
  galleryNames: () => ask<GalleryNames>("/api/gallery/names"),
  star: (id: number, starred: boolean) =>
    ask<Picture>(`/api/gallery/${id}/star`, json("PUT", { starred })),
  trash: (id: number) => ask<Picture>(`/api/gallery/${id}`, { method: "DELETE" }),
  restore: (id: number) => ask<Picture>(`/api/gallery/${id}/restore`, { method: "POST" }),
  emptyTrash: () => ask<{ deleted: number }>("/api/gallery/trash/empty", { method: "POST" }),
  upload: (file: Blob, name: string) =>
    ask<{ name: string; url: string }>("/api/files/input", form(file, name)),
  /** Keep a copy of an input picture with this mask, white where it shall be made anew. */
  mask: (name: string, mask: Blob) =>
    ask<{ name: string; url: string }>(`${fileUrl("input", name)}/mask`, form(mask, "mask.png")),
  crop: (name: string, piece: { x: number; y: number; width: number; height: number }) => {
    const { x, y, width, height } = piece;
    const query = `x=${x}&y=${y}&width=${width}&height=${height}`;
    return ask<{ name: string; url: string }>(`${fileUrl("input", name)}/crop?${query}`, {
      method: "POST",
    });
  },
  read: (file: Blob, name: string) =>
    ask<{ workflow: Workflow; problems: Problem[] }>("/api/workflows/read", form(file, name)),
  workflows: () => ask<WorkflowList>("/api/workflows"),
  /** The steps of a sampler that a preview is kept of. */
  steps: (run: string, node: string) => ask<{ steps: number[] }>(stepsUrl(run, node)),
  /** What can be told of a value in numbers. */
  about: (run: string, node: string, output: string) =>
    ask<{ value: Record<string, Json> }>(`${valueUrl(run, node, output)}?view=about`),
  open: (area: "saved" | "templates", name: string) =>
    ask<{ workflow: Workflow }>(named(area, name)),
  save: (name: string, workflow: Workflow) =>
    ask<unknown>(named("saved", name), json("PUT", { workflow })),
  subgraphs: () => ask<{ subgraphs: KeptSubgraph[] }>("/api/subgraphs"),
  keepSubgraph: (name: string, workflow: Workflow) =>
    ask<unknown>(`/api/subgraphs/${encodeURIComponent(name)}`, json("PUT", { workflow })),
  removeSubgraph: (name: string) =>
    ask<unknown>(`/api/subgraphs/${encodeURIComponent(name)}`, { method: "DELETE" }),
  remove: (name: string) => ask<unknown>(named("saved", name), { method: "DELETE" }),
};

/** The address of a file that the server keeps; `thumbnail` is the longest side in pixels. */
export function fileUrl(
  area: "input" | "output" | "temp",
  path: string,
  thumbnail?: number,
): string {
  const safe = path.split("/").map(encodeURIComponent).join("/");
  return `/api/files/${area}/${safe}${thumbnail ? `?thumbnail=${thumbnail}` : ""}`;
}

export function stepsUrl(run: string, node: string, step?: number): string {
  const address = `/api/runs/${[run, "steps", node].map(encodeURIComponent).join("/")}`;
  return step === undefined ? address : `${address}/${step}`;
}

/** The address of what an output of a finished run's node holds. */
export function valueUrl(run: string, node: string, output: string): string {
  return `/api/runs/${[run, "values", node, output].map(encodeURIComponent).join("/")}`;
}
