/**
 * How large the pictures are that nodes will give, guessed before the run from kinds and names of widgets as
 * the checker's warnings are; where a node may do anything with them, nothing is said.
 */

import type { InputDefinition, Json, NodeDefinition, PlacedNode } from "../api/types";
import { type Definitions, type Placed } from "./model";

export interface Size {
  width: number;
  height: number;
}

/** The size of a picture file in the input folder, in pixels. */
export type FileSize = (name: string) => Size | undefined;

const PICTURES = new Set(["Image", "Latent", "Mask"]);
const LONGEST = 200; // nodes that a size is followed through

export class Sizes {
  private readonly known = new Map<string, Size | null>();

  constructor(
    private readonly workflow: Placed,
    private readonly types: Definitions,
    private readonly file: FileSize,
  ) {}

  /** In pixels, also for a latent; null where nobody can tell. */
  of(node: string, output: string, depth = 0): Size | null {
    const placed = this.workflow.nodes[node];
    const type = placed && this.types[placed.type];
    const kind = type?.outputs.find(({ name }) => name === output)?.term.kind ?? "";
    if (!placed || !type || !PICTURES.has(kind) || depth > LONGEST) return null;
    const key = `${node}\0${kind}`;
    const before = this.known.get(key);
    if (before !== undefined) return before;
    this.known.set(key, null); // a circle ends here
    const found =
      placed.mode === "bypass"
        ? this.through(placed, type, kind, depth)
        : placed.mode === "run"
          ? this.made(placed, type, kind, depth)
          : null;
    this.known.set(key, found);
    return found;
  }

  private made(node: PlacedNode, type: NodeDefinition, kind: string, depth: number): Size | null {
    const picture = type.widgets.find(({ control }) => control === "image_file");
    if (picture) return this.file(String(node.values[picture.name] ?? "")) ?? null;
    const set = (name: string) => number(this.value(node, type, name));
    const stated = size(set("width"), set("height"));
    if (!type.inputs.some(({ term }) => PICTURES.has(term.kind))) return stated;
    const before = this.through(node, type, kind, depth);
    return before && resized(before, stated, set, this.value(node, type, "rotation"));
  }

  /** The size of what the node takes: of the same kind, else of another that it turns into this one. */
  private through(node: PlacedNode, type: NodeDefinition, kind: string, depth: number): Size | null {
    const fits = (wanted: (input: InputDefinition) => boolean) =>
      type.inputs.find((input) => !input.variadic && wanted(input) && node.inputs[input.name]);
    const samples = type.inputs.some(({ term }) => term.kind === "Model");
    const laidOut = type.inputs.some(({ variadic }) => variadic);
    if (laidOut) return null; // a grid of any number
    const same = fits(({ term }) => term.kind === kind);
    const other = samples ? undefined : fits(({ term }) => PICTURES.has(term.kind));
    const wire = node.inputs[(same ?? other)?.name ?? ""];
    return wire ? this.of(wire.node, wire.output, depth + 1) : null;
  }

  private value(node: PlacedNode, type: NodeDefinition, name: string): Json | undefined {
    const widget = type.widgets.find((one) => one.name === name);
    return widget && !(name in node.inputs) ? (node.values[name] ?? widget.default) : undefined;
  }
}

const number = (value: Json | undefined) => (typeof value === "number" ? value : null);

function size(width: number | null, height: number | null): Size | null {
  return width && height && width > 0 && height > 0 ? { width, height } : null;
}

/** What becomes of a size by a node's own settings. */
function resized(
  before: Size,
  stated: Size | null,
  set: (name: string) => number | null,
  rotation: Json | undefined,
): Size | null {
  if (stated) return stated;
  const [width, height] = [set("width"), set("height")];
  if (width) return { width, height: Math.round((before.height * width) / before.width) };
  if (height) return { width: Math.round((before.width * height) / before.height), height };
  const factor = set("scale_by");
  if (factor !== null)
    return { width: Math.round(before.width * factor), height: Math.round(before.height * factor) };
  if (typeof rotation === "string" && /^(90|270)/.test(rotation))
    return { width: before.height, height: before.width };
  const wider = (set("left") ?? 0) + (set("right") ?? 0);
  const higher = (set("top") ?? 0) + (set("bottom") ?? 0);
  return { width: before.width + wider, height: before.height + higher };
}

export const sizeText = ({ width, height }: Size) => `${width}×${height}`;
