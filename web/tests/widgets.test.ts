import { readColour } from "../src/widgets/ColourField";
import { describe, expect, it } from "vitest";
import type { WidgetDefinition } from "../src/api/types";
import { choicesOf, clamped, limitsOf, widgetKind } from "../src/widgets/kinds";
import { widget } from "./fixtures";

const kind = (more: Partial<WidgetDefinition>) => widgetKind(widget("w", more));

describe("which widget a value gets", () => {
  it("is the named control where there is one", () => {
    expect(kind({ control: "seed", schema: { type: "integer" } })).toBe("seed");
    expect(kind({ control: "multiline" })).toBe("multiline");
    expect(kind({ control: "model_file", folder: "vae" })).toBe("model_file");
    expect(kind({ control: "image_file" })).toBe("image_file");
  });

  it("is found from the schema where the control is not known", () => {
    expect(kind({ control: "unheard_of", schema: { type: "boolean" } })).toBe("toggle");
    expect(kind({ control: "", schema: { type: "integer", minimum: 1, maximum: 1000 } })).toBe(
      "number",
    );
    expect(kind({ control: "", schema: { enum: ["a", "b"], type: "string" } })).toBe("choice");
    expect(kind({ control: "", schema: { anyOf: [{ type: "number" }, { type: "null" }] } })).toBe(
      "number",
    );
    expect(kind({ control: "", schema: {} })).toBe("text");
  });

  it("is a slider for a share of a whole", () => {
    expect(kind({ control: "number", schema: { type: "number", minimum: 0, maximum: 1 } })).toBe(
      "slider",
    );
    expect(kind({ control: "number", schema: { type: "number", minimum: 0, maximum: 100 } })).toBe(
      "number",
    );
    expect(kind({ control: "number", schema: { type: "integer", minimum: 0, maximum: 1 } })).toBe(
      "number",
    );
  });
});

describe("limits", () => {
  it("hold a number to its range, its multiple and whole numbers", () => {
    const size = { type: "integer", minimum: 16, maximum: 4096, multipleOf: 8 };
    expect(clamped(770.3, size)).toBe(768);
    expect(clamped(1, size)).toBe(16);
    expect(clamped(99999, size)).toBe(4096);
    expect(clamped(2.6, { type: "integer" })).toBe(3);
    expect(clamped(1.4, { type: "number", minimum: 0, maximum: 1 })).toBe(1);
  });

  it("never give a value that an open limit excludes", () => {
    expect(clamped(0, { type: "number", exclusiveMinimum: 0 })).toBeGreaterThan(0);
    expect(clamped(10, { type: "integer", exclusiveMaximum: 10 })).toBe(9);
  });

  it("give steps without binary dust", () => {
    expect(clamped(0.1 + 0.2, { type: "number", multipleOf: 0.1 })).toBe(0.3);
    expect(limitsOf({ type: "integer", multipleOf: 64 }).step).toBe(64);
  });

  it("list the choices of an enumeration", () => {
    expect(choicesOf({ enum: ["euler", "heun"] })).toEqual([
      { label: "euler", value: "euler" },
      { label: "heun", value: "heun" },
    ]);
  });
});

it("colours are read with and without the sign, short and long", () => {
  expect(readColour("#Ff8000")).toBe("#ff8000");
  expect(readColour("f80")).toBe("#ff8800");
  expect(readColour("#12345")).toBeNull();
  expect(readColour("red")).toBeNull();
});
