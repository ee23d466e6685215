/** A small workflow around one node: what its inputs need before it, and something that shows it after. */

import type { NodeDefinition, OutputDefinition, Workflow } from "../api/types";
import { arrange } from "./arrange";
import { addNode, connect } from "./edits";
import { type Definitions, emptyWorkflow, freshId, placed } from "./model";

/** Which node usually gives each kind, and at which output. */
const GIVERS: Record<string, { type: string; output: string }> = {
  Model: { type: "load_checkpoint", output: "model" },
  Clip: { type: "load_checkpoint", output: "clip" },
  Vae: { type: "load_checkpoint", output: "vae" },
  Conditioning: { type: "clip_text_encode", output: "conditioning" },
  Latent: { type: "empty_latent", output: "latent" },
  Image: { type: "load_image", output: "image" },
  Mask: { type: "load_image", output: "mask" },
};

const SIZE = { width: 280, height: 240 };

/** The first file of a folder that can be used. */
export type FirstFile = (folder: string) => string | undefined;

/** The example for a type, its nodes side by side; null where there is no such type. */
export function exampleOf(type: string, types: Definitions, file: FirstFile): Workflow | null {
  const maker = new Maker(types, file);
  const centre = maker.add(type);
  if (!centre) return null;
  const definition = types[type];
  if (definition && !definition.output) maker.show(centre, definition);
  return arrange(maker.workflow, () => SIZE);
}

class Maker {
  workflow = emptyWorkflow();
  private made = new Map<string, string>(); // one loader serves all: a model and its own VAE

  constructor(
    private readonly types: Definitions,
    private readonly file: FirstFile,
  ) {}

  /** The id of a new node with everything before it that it must have. */
  add(type: string): string | null {
    const definition = this.types[type];
    if (!definition) return null;
    const id = freshId(type, new Set(Object.keys(this.workflow.nodes)));
    const node = placed(definition);
    for (const { name, folder } of definition.widgets) {
      const first = folder && !node.values[name] ? this.file(folder) : undefined;
      if (first) node.values[name] = first;
    }
    this.workflow = addNode(this.workflow, id, node, { x: 0, y: 0 });
    for (const input of definition.inputs) {
      if (input.optional) continue;
      this.feed(id, input.variadic ? `${input.name}.0` : input.name, input.term.kind, type);
    }
    return id;
  }

  private feed(node: string, socket: string, kind: string, type: string): void {
    const giver = this.giverOf(kind, type);
    if (!giver) return;
    // Two prompts may differ, but there is one checkpoint.
    const shared = kind !== "Conditioning" && kind !== "Image" && kind !== "Latent";
    const before = shared ? this.made.get(giver.type) : undefined;
    const source = before ?? this.add(giver.type);
    if (!source) return;
    this.made.set(giver.type, source);
    const wire = { node: source, output: giver.output };
    this.workflow = connect(this.workflow, node, socket, wire);
  }

  /** The usual giver, or any other type that gives the kind from nothing but files. */
  private giverOf(kind: string, type: string): { type: string; output: string } | null {
    const taker = this.types[type];
    const saysSpace = taker?.inputs.some(({ term }) => term.kind === "Model" || term.kind === "Vae");
    // An Empty Latent learns its space from what it is wired to; where nothing says it, a VAE does.
    const encoded = kind === "Latent" && taker?.output && !saysSpace;
    const usual = encoded ? { type: "vae_encode", output: "latent" } : GIVERS[kind];
    if (usual && usual.type !== type && this.types[usual.type]) return usual;
    for (const other of Object.values(this.types)) {
      const output = other.outputs.find(({ term }) => term.kind === kind);
      if (output && other.type !== type && !other.inputs.some(needs(kind)))
        return { type: other.type, output: output.name };
    }
    return null;
  }

  /** Put something behind the node that shows what it gives. */
  show(id: string, definition: NodeDefinition): void {
    const output = definition.outputs.find(({ term }) => SHOWN[term.kind]);
    const type = output && SHOWN[output.term.kind];
    const shower = type ? this.types[type] : undefined;
    if (!output || !type || !shower) return;
    const behind = this.wired(shower, { node: id, output });
    if (behind && !shower.output) this.show(behind, shower);
  }

  /** A node that takes this output, and what else it must have. */
  private wired(type: NodeDefinition, from: { node: string; output: OutputDefinition }): string {
    const id = freshId(type.type, new Set(Object.keys(this.workflow.nodes)));
    this.workflow = addNode(this.workflow, id, placed(type), { x: 0, y: 0 });
    let taken = false;
    for (const input of type.inputs) {
      const fits = !taken && input.term.kind === from.output.term.kind;
      if (fits) {
        taken = true;
        const wire = { node: from.node, output: from.output.name };
        this.workflow = connect(this.workflow, id, input.name, wire);
      } else if (!input.optional) this.feed(id, input.name, input.term.kind, type.type);
    }
    return id;
  }
}

const needs = (kind: string) => (input: { term: { kind: string }; optional: boolean }) =>
  !input.optional && input.term.kind === kind;

/** What shows a kind: a latent is decoded first, a model is sampled with. */
const SHOWN: Record<string, string> = {
  Image: "preview_image",
  Latent: "vae_decode",
  Mask: "mask_to_image",
  Model: "k_sampler",
  Conditioning: "k_sampler",
  Clip: "clip_text_encode",
  Vae: "vae_decode",
  Noise: "sampler_custom_advanced",
  Guider: "sampler_custom_advanced",
  Sampler: "sampler_custom_advanced",
  Sigmas: "sampler_custom_advanced",
};
