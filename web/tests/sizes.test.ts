import { describe, expect, it } from "vitest";
import type { Json } from "../src/api/types";
import { Sizes } from "../src/workflow/sizes";
import { widget } from "./fixtures";

const input = (kind: string, more = {}) => ({
  name: kind.toLowerCase(),
  term: { kind, arguments: [] },
  variadic: false,
  ...more,
});
const type = (inputs: object[], outputs: string[], widgets: object[] = []) => ({
  inputs,
  outputs: outputs.map((kind) => ({ name: kind.toLowerCase(), term: { kind, arguments: [] } })),
  widgets,
});
const edge = (name: string) => widget(name, { schema: { type: "integer" } });
const TYPES = {
  empty: type([], ["Latent"], [edge("width"), edge("height")]),
  load: type([], ["Image", "Mask"], [widget("file", { control: "image_file" })]),
  sample: type([input("Model"), input("Latent")], ["Latent"]),
  grid: type([input("Model"), input("Latent")], ["Image"]),
  decode: type([input("Latent"), input("Vae")], ["Image"]),
  by: type([input("Latent")], ["Latent"], [widget("scale_by")]),
  scale: type([input("Image")], ["Image"], [edge("width"), edge("height")]),
  turn: type([input("Latent")], ["Latent"], [widget("rotation")]),
  pad: type([input("Image")], ["Image", "Mask"], ["left", "top", "right", "bottom"].map(edge)),
  sheet: type([input("Image", { variadic: true })], ["Image"]),
} as never;

interface Node {
  type: string;
  values?: Record<string, Json>;
  from?: string;
  mode?: string;
}

/** A chain: each node hangs on the one that `from` names, at the output of the input's name. */
function sizes(nodes: Record<string, Node>) {
  const placed = Object.fromEntries(
    Object.entries(nodes).map(([id, { type: of, values = {}, from, mode = "run" }]) => {
      const kinds = (TYPES as Record<string, { inputs: { name: string }[] }>)[of]?.inputs ?? [];
      const socket = kinds.find(({ name }) => name === "latent" || name === "image")?.name ?? "";
      const inputs = from ? { [socket]: { node: from, output: socket } } : {};
      return [id, { type: of, values, mode, inputs }];
    }),
  );
  const files = (name: string) => (name === "cat.png" ? { width: 300, height: 200 } : undefined);
  return new Sizes({ nodes: placed } as never, TYPES, files);
}

const EMPTY = { type: "empty", values: { width: 512, height: 768 } };

describe("the size", () => {
  it("of an empty latent goes through a sampler and a decoder", () => {
    const found = sizes({
      a: EMPTY,
      b: { type: "sample", from: "a" },
      c: { type: "decode", from: "b" },
    });
    expect(found.of("c", "image")).toEqual({ width: 512, height: 768 });
  });
  it("of a picture file is the file's", () => {
    const found = sizes({ a: { type: "load", values: { file: "cat.png" } } });
    expect(found.of("a", "mask")).toEqual({ width: 300, height: 200 });
    expect(sizes({ a: { type: "load", values: { file: "dog.png" } } }).of("a", "image")).toBeNull();
  });
  it.each([
    ["by", { scale_by: 1.5 }, EMPTY, "latent", { width: 768, height: 1152 }],
    ["turn", { rotation: "90 degrees" }, EMPTY, "latent", { width: 768, height: 512 }],
    ["turn", { rotation: "180 degrees" }, EMPTY, "latent", { width: 512, height: 768 }],
  ] as const)("changes with %s %j", (name, values, first, output, expected) => {
    const found = sizes({ a: first, b: { type: name, values, from: "a" } });
    expect(found.of("b", output)).toEqual(expected);
  });
  it.each([
    ["scale", { width: 600, height: 0 }, { width: 600, height: 400 }],
    ["scale", { width: 0, height: 100 }, { width: 150, height: 100 }],
    ["scale", { width: 64, height: 64 }, { width: 64, height: 64 }],
    ["pad", { left: 8, right: 16, top: 0, bottom: 40 }, { width: 324, height: 240 }],
  ] as const)("of a picture changes with %s %j", (name, values, expected) => {
    const load = { type: "load", values: { file: "cat.png" } };
    expect(sizes({ a: load, b: { type: name, values, from: "a" } }).of("b", "image")).toEqual(
      expected,
    );
  });
  it("of what is left out is that of what goes through", () => {
    const found = sizes({
      a: EMPTY,
      b: { type: "by", values: { scale_by: 2 }, from: "a", mode: "bypass" },
    });
    expect(found.of("b", "latent")).toEqual({ width: 512, height: 768 });
  });
  it("is not told where a node may lay out anything, or wires go in a circle", () => {
    expect(sizes({ a: EMPTY, b: { type: "grid", from: "a" } }).of("b", "image")).toBeNull();
    expect(sizes({ a: { type: "sheet" } }).of("a", "image")).toBeNull();
    const circle = sizes({ a: { type: "sample", from: "b" }, b: { type: "sample", from: "a" } });
    expect(circle.of("a", "latent")).toBeNull();
  });
});
