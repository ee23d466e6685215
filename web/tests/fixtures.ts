/** Definitions and workflows that the tests share. */

import type {
  InputDefinition,
  NodeDefinition,
  OutputDefinition,
  WidgetDefinition,
  Workflow,
} from "../src/api/types";
import { emptyWorkflow } from "../src/workflow/model";

const input = (
  name: string,
  kind: string,
  more: Partial<InputDefinition> = {},
): InputDefinition => ({
  name,
  title: name,
  description: "",
  term: { kind, arguments: [] },
  optional: false,
  lazy: false,
  variadic: false,
  list: false,
  ...more,
});

const output = (name: string, kind: string): OutputDefinition => ({
  name,
  title: name,
  description: "",
  term: { kind, arguments: [] },
  list: false,
  part: null,
});

export const widget = (name: string, more: Partial<WidgetDefinition> = {}): WidgetDefinition => ({
  name,
  title: name,
  description: "",
  schema: { type: "string" },
  required: false,
  default: null,
  control: "text",
  folder: null,
  term: null,
  wire: null,
  ...more,
});

const node = (type: string, more: Partial<NodeDefinition>): NodeDefinition => ({
  type,
  version: 1,
  title: type,
  category: "test",
  description: "",
  pack: "core",
  inputs: [],
  widgets: [],
  outputs: [],
  output: false,
  cache: true,
  ...more,
});

export const DEFINITIONS: Record<string, NodeDefinition> = {
  load: node("load", { outputs: [output("model", "Model")] }),
  sample: node("sample", {
    inputs: [input("model", "Model")],
    widgets: [
      widget("seed", {
        control: "seed",
        schema: { type: "integer", minimum: 0 },
        default: 0,
        wire: "Integer",
      }),
      widget("steps", { control: "number", schema: { type: "integer", minimum: 1 }, default: 20 }),
    ],
    outputs: [output("image", "Image")],
  }),
  stack: node("stack", {
    inputs: [input("images", "Image", { variadic: true })],
    outputs: [output("image", "Image")],
  }),
  save: node("save", { inputs: [input("image", "Image")], output: true }),
};

/** load → sample → save */
export function chain(): Workflow {
  const base = { version: 1, title: "", mode: "run" as const };
  return {
    ...emptyWorkflow(),
    nodes: {
      load: { ...base, type: "load", values: {}, inputs: {} },
      sample: {
        ...base,
        type: "sample",
        values: { seed: 7, steps: 20 },
        inputs: { model: { node: "load", output: "model" } },
      },
      save: {
        ...base,
        type: "save",
        values: {},
        inputs: { image: { node: "sample", output: "image" } },
      },
    },
    layout: { nodes: { load: { x: 0, y: 0 }, sample: { x: 400, y: 0 }, save: { x: 800, y: 0 } } },
  };
}
