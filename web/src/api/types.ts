/** The forms of data that cross the wire to the server, named as the server names them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type Axis = "text" | "latent";
export type Mode = "run" | "mute" | "bypass";
export type Certainty = "certain" | "likely" | "assumed" | "unknown";

export interface Argument {
  axis: Axis;
  variable: string | null;
  one_of: string[] | null;
}

export interface Term {
  kind: string;
  arguments: Argument[];
}

export interface InputDefinition {
  name: string;
  title: string;
  description: string;
  term: Term;
  optional: boolean;
  lazy: boolean;
  variadic: boolean;
  list: boolean;
}

/** The part of JSON Schema that pydantic writes for one value. */
export interface Schema {
  type?: string;
  enum?: Json[];
  const?: Json;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  maxLength?: number;
  anyOf?: Schema[];
  [extra: string]: unknown;
}

export interface WidgetDefinition {
  name: string;
  title: string;
  description: string;
  schema: Schema;
  required: boolean;
  default: Json;
  control: string;
  folder: string | null;
  term: Term | null;
  wire: string | null;
}

export interface OutputDefinition {
  name: string;
  title: string;
  description: string;
  term: Term;
  list: boolean;
  part: string | null;
}

export interface NodeDefinition {
  type: string;
  version: number;
  title: string;
  category: string;
  description: string;
  pack: string;
  inputs: InputDefinition[];
  widgets: WidgetDefinition[];
  outputs: OutputDefinition[];
  output: boolean;
  cache: boolean;
}

export interface Wire {
  node: string;
  output: string;
  allow?: [string, string] | null;
}

export interface PlacedNode {
  type: string;
  version: number;
  title: string;
  mode: Mode;
  values: Record<string, Json>;
  inputs: Record<string, Wire>;
}

/** How a node looks. `fixed` names the seeds that keep their value from run to run. */
export interface NodeLayout {
  x: number;
  y: number;
  width?: number;
  collapsed?: boolean;
  /** Keeps its place: neither hand nor command moves it. */
  pinned?: boolean;
  fixed?: string[];
  /** The seeds that go up by one from run to run. */
  counting?: string[];
}

/** A dot that wires of one output pass through, after the dot `after` or right after the output. */
export interface Reroute {
  x: number;
  y: number;
  after?: string | null;
}

export interface Layout {
  nodes: Record<string, NodeLayout>;
  reroutes?: Record<string, Reroute>;
  /** The last dot of each wire that passes through some, by node and socket. */
  wires?: Record<string, Record<string, { via: string }>>;
  [extra: string]: unknown;
}

/** A rectangle on the canvas; `colour` is a name of the palette, or "". */
export interface Frame {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  colour: string;
  pinned?: boolean;
}

export interface Group extends Frame {
  title: string;
}

/** A text in Markdown. */
export interface Note extends Frame {
  text: string;
}

/** A graph that nodes of the type "subgraph:<id>" stand for, and what they show of it. */
export interface Subgraph {
  title: string;
  description?: string;
  nodes: Record<string, PlacedNode>;
  inputs: Record<string, { title?: string }>;
  /** The output inside that feeds it; "" where none does. */
  outputs: Record<string, { title?: string; node: string; output: string }>;
  widgets: Record<string, { title?: string; node: string; name: string }>;
  layout: Layout;
  groups: Group[];
  notes: Note[];
  [extra: string]: unknown;
}

export interface Workflow {
  version: number;
  nodes: Record<string, PlacedNode>;
  layout: Layout;
  groups: Group[];
  notes: Note[];
  /** Its form for people who do not see the graph; `workflow/app.ts` reads it. */
  app?: Record<string, Json>;
  subgraphs?: Record<string, Subgraph>;
  [extra: string]: unknown;
}

export type Edit =
  | { op: "set_value"; node: string; name: string; value: Json }
  | { op: "unset_value"; node: string; name: string }
  | { op: "connect"; node: string; socket: string; wire: Wire }
  | { op: "disconnect"; node: string; socket: string }
  | { op: "add_node"; id: string; node: PlacedNode; near?: string | null }
  | { op: "remove_node"; node: string }
  | { op: "add_input"; node: string; name: string }
  | { op: "add_output"; node: string; name: string; wire: Wire };

/** An entry of the library of subgraphs: a workflow of one node, and what that looks like. */
export interface KeptSubgraph {
  name: string;
  workflow: Workflow | null;
  definition: NodeDefinition | null;
  trouble: string | null;
}

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

/** What a run would do, as the worker's cache is now. */
export interface PlanAnswer {
  cached: number;
  to_run: number;
  lazy: number;
  refused: string | null;
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

/** What one kind of evidence says of whose latents a file speaks. */
export interface FileFinding {
  layer: string;
  spaces: string[];
  certainty: Certainty;
  reason: string;
}

export interface ModelFile {
  name: string;
  title?: string;
  kind: string;
  family: string | null;
  spaces: Partial<Record<Axis, string[]>>;
  parts: string[];
  evidence: string;
  certainty: Certainty;
  trouble: string | null;
  /** Why it cannot be run although it is known what it is; no parts stand for all of them. */
  flaws?: { code: string; message: string; parts: string[] }[];
  /** The kind of evidence that decided, "" where only the header was asked. */
  rule?: string;
  findings?: FileFinding[];
  contradiction?: string;
  /** The latent spaces that a person may say it speaks. */
  choices?: string[];
  /** Width and height of a picture, in pixels. */
  size?: [number, number] | null;
}

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
}

export interface TokensAnswer {
  encoders: EncoderCount[];
  trouble: string;
}

export interface WorkflowList {
  templates: { name: string; title: string; description?: string; picture?: string | null }[];
  saved: { name: string; modified: number | string }[];
}

/** A part of a model file that is loaded; sizes are bytes, `host` those beside the device. */
export interface LoadedModel {
  id: string;
  name: string;
  part: string;
  dtype: string;
  bytes: number;
  host: number;
  in_use: boolean;
}

/** What a worker has loaded, the last used first; sizes are bytes. */
export interface WorkerMemory {
  device: string;
  /** What models may take together. */
  budget: number;
  used: number;
  total: number;
  /** Null where the device does not say. */
  free: number | null;
  results: number;
  freed: number;
  models: LoadedModel[];
}

/** What the worker has that ran something last, and each of them by its number. */
export interface MemoryAnswer extends WorkerMemory {
  workers: (WorkerMemory & { number: number })[];
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
