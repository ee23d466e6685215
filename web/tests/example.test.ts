import { expect, it } from "vitest";
import type { NodeDefinition } from "../src/api/types";
import { exampleOf } from "../src/workflow/example";
import { widget } from "./fixtures";

const socket = (kind: string, more = {}) => ({
  name: kind.toLowerCase(),
  title: kind,
  description: "",
  term: { kind, arguments: [] },
  optional: false,
  variadic: false,
  ...more,
});
const type = (name: string, inputs: object[], outputs: string[], more = {}) => ({
  type: name,
  version: 1,
  title: name,
  inputs,
  outputs: outputs.map((kind) => socket(kind)),
  widgets: [],
  output: false,
  ...more,
});

const TYPES = Object.fromEntries(
  [
    type("load_checkpoint", [], ["Model", "Clip", "Vae"], {
      widgets: [widget("file", { folder: "checkpoints" })],
    }),
    type("clip_text_encode", [socket("Clip")], ["Conditioning"]),
    type("empty_latent", [], ["Latent"]),
    type("k_sampler", [socket("Model"), socket("Conditioning"), socket("Latent")], ["Latent"]),
    type("vae_decode", [socket("Latent"), socket("Vae")], ["Image"]),
    type("vae_encode", [socket("Image"), socket("Vae")], ["Latent"]),
    type("load_image", [], ["Image", "Mask"]),
    type("preview_image", [socket("Image")], [], { output: true }),
    type("statistics", [socket("Latent")], [], { output: true }),
    type("grid", [socket("Image", { variadic: true })], ["Image"]),
    type("masked", [socket("Image"), socket("Mask", { optional: true })], ["Image"]),
  ].map((one) => [one.type, one]),
) as unknown as Record<string, NodeDefinition>;

const types = (name: string) => {
  const made = exampleOf(name, TYPES, (folder) => `${folder}.file`);
  return Object.values(made?.nodes ?? {}).map((node) => node.type);
};

it("an example has what the node needs before it and what shows it behind", () => {
  expect(types("k_sampler").sort()).toEqual(
    [
      "clip_text_encode",
      "empty_latent",
      "k_sampler",
      "load_checkpoint",
      "preview_image",
      "vae_decode",
    ].sort(),
  );
});

it("one checkpoint serves all, with a file in it", () => {
  const made = exampleOf("k_sampler", TYPES, (folder) => `${folder}.file`);
  const loaders = Object.values(made?.nodes ?? {}).filter((n) => n.type === "load_checkpoint");
  expect(loaders.map(({ values }) => values.file)).toEqual(["checkpoints.file"]);
});

it("optional inputs stay free, and a variadic one gets its first wire", () => {
  expect(types("masked")).toEqual(["masked", "load_image", "preview_image"]);
  const grid = exampleOf("grid", TYPES, () => undefined);
  expect(Object.keys(grid?.nodes.grid?.inputs ?? {})).toEqual(["image.0"]);
});

it("a node that shows a latent gets one whose space is known", () => {
  expect(types("statistics")).toContain("vae_encode");
  expect(types("statistics")).not.toContain("empty_latent");
});

it("there is none for a type that is not there", () => {
  expect(exampleOf("nothing", TYPES, () => undefined)).toBeNull();
});

it("every wire ends at a node that is there, and every node has its place", () => {
  for (const name of Object.keys(TYPES)) {
    const made = exampleOf(name, TYPES, () => undefined);
    for (const node of Object.values(made?.nodes ?? {}))
      for (const wire of Object.values(node.inputs)) expect(made?.nodes[wire.node]).toBeDefined();
    expect(Object.keys(made?.layout.nodes ?? {}).sort()).toEqual(
      Object.keys(made?.nodes ?? {}).sort(),
    );
  }
});
