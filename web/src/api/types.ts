/** The forms of data that cross the wire to the server, named as the server names them. */

export type * from "./checking";
export type * from "./models";
export type * from "./runs";

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
  /** The title in the language of the source, where `title` is in the reader's. */
  original?: string;
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
