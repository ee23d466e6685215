import { named } from "../src/panels/BatchFile";
import { describe, expect, it } from "vitest";
import type { Json, NodeDefinition, WidgetDefinition, Workflow } from "../src/api/types";
import { emptyWorkflow } from "../src/workflow/model";
import {
  type AxisDraft,
  axesOf,
  axisIn,
  columnNames,
  kindsFor,
  lettersOf,
  newAxis,
  typedValues,
  Unfinished,
} from "../src/workflow/batch";
import { varyingWidgets } from "../src/workflow/varying";

const widget = (name: string, about: Partial<WidgetDefinition>): WidgetDefinition => ({
  name,
  title: name[0]?.toUpperCase() + name.slice(1),
  description: "",
  schema: { type: "integer" },
  required: true,
  default: 0,
  control: "number",
  folder: null,
  term: null,
  wire: null,
  ...about,
});

const sampler: NodeDefinition = {
  type: "sampler",
  version: 1,
  title: "Sampler",
  category: "",
  description: "",
  pack: "",
  inputs: [],
  outputs: [],
  output: false,
  cache: true,
  widgets: [
    widget("steps", {}),
    widget("seed", { control: "seed" }),
    widget("method", { control: "choice", schema: { enum: ["euler", "heun"] } }),
    widget("text", { control: "multiline", schema: { type: "string" } }),
  ],
};

const workflow: Workflow = {
  ...emptyWorkflow(),
  nodes: {
    one: {
      type: "sampler",
      version: 1,
      title: "",
      mode: "run",
      values: { steps: 20, text: "a {red|blue} disc" },
      inputs: { "method.0": { node: "x", output: "y" } },
    },
    two: { type: "sampler", version: 1, title: "Second", mode: "run", values: {}, inputs: {} },
    off: { type: "sampler", version: 1, title: "", mode: "mute", values: {}, inputs: {} },
  },
};
const all = varyingWidgets(workflow, { sampler });
const at = (node: string, name: string) => {
  const found = all.find(({ place }) => place.node === node && place.widget === name);
  if (!found) throw new Error(`no ${node} ${name}`);
  return found;
};
const draft = (node: string, name: string, change: Partial<AxisDraft> = {}): AxisDraft => ({
  ...newAxis(at(node, name)),
  ...change,
});
const recipe = (...drafts: AxisDraft[]) => axesOf(drafts, all, () => []);

describe("what can vary", () => {
  it("is each value that no wire brings, of the nodes that run", () => {
    const places = all.map(({ place }) => `${place.node}.${place.widget}`);
    expect(places).toEqual([
      ...["one.steps", "one.seed", "one.text"],
      ...["two.steps", "two.seed", "two.method", "two.text"],
    ]);
  });

  it("is what lies inside of a node, too, but for what the node itself sets", () => {
    const inner = { type: "sampler", version: 1, title: "", mode: "run" as const };
    const subgraph = {
      title: "Draw",
      nodes: { k: { ...inner, values: {}, inputs: {} } },
      inputs: {},
      outputs: {},
      widgets: { seed: { node: "k", name: "seed" }, steps: { node: "k", name: "steps" } },
      layout: { nodes: {} },
      groups: [],
      notes: [],
    };
    const up = { ...inner, type: "subgraph:draw", values: { seed: 1 }, inputs: {} };
    const nested = { ...emptyWorkflow(), nodes: { up }, subgraphs: { draw: subgraph } };
    const found = varyingWidgets(nested, { sampler });
    expect(found.map(({ place }) => `${place.node}.${place.widget}`)).toEqual([
      "up/k.steps",
      "up/k.method",
      "up/k.text",
    ]);
    expect(found[0]?.node).toBe("Draw / Sampler");
  });

  it("varies as its kind does, the usual way first", () => {
    const usual = (node: string, name: string) => kindsFor(at(node, name).widget)[0];
    expect(usual("one", "seed")).toBe("seeds");
    expect(usual("one", "steps")).toBe("values");
    expect(kindsFor(at("one", "text").widget)).toContain("wildcards");
    expect(kindsFor(at("two", "method").widget)).not.toContain("range");
  });
});

describe("a recipe", () => {
  it("has the values as the widget's kind", () => {
    const steps = at("one", "steps").widget;
    expect(typedValues("4, 8;\n16,", steps)).toEqual([4, 8, 16]);
    expect(typedValues("a, b\nc", at("one", "text").widget)).toEqual(["a, b", "c"]);
    const large = "18446744073709551615"; // 2**64 - 1 is no double
    expect(typedValues(large, at("one", "seed").widget)).toEqual([large]);
    // What is no number goes to the server as it is, which says what is wrong with it.
    expect(typedValues("few", steps)).toEqual(["few"]);
  });

  it("begins with what the workflow has", () => {
    expect(recipe(draft("one", "steps"))).toEqual([
      { kind: "values", at: { node: "one", widget: "steps" }, values: [20], title: "", group: "" },
    ]);
  });

  it("takes choices as they were chosen", () => {
    const chosen: Json[] = ["heun", "euler"];
    expect(recipe(draft("two", "method", { chosen }))[0]).toMatchObject({ values: chosen });
  });

  it("groups what goes step by step, and tells widgets of one name apart", () => {
    const axes = recipe(
      draft("one", "seed"),
      draft("one", "steps", { values: "1,2" }),
      draft("two", "steps", { values: "3,4", together: true }),
    );
    expect(axes.map(({ group }) => group)).toEqual(["", "group 2", "group 2"]);
    expect(axes.map(({ title }) => title)).toEqual(["", "Sampler Steps", "Second Steps"]);
    expect(
      lettersOf([false, false, true, false].map((t) => draft("one", "seed", { together: t }))),
    ).toEqual(["X", "Y", "Y", "Z"]);
  });

  it("maps columns of a table to widgets", () => {
    const more = [{ column: "prompt", at: { node: "one", widget: "text" } }];
    const axis = recipe(
      draft("one", "steps", { kind: "columns", file: "t.csv", column: "steps", more }),
    )[0];
    expect(axis).toEqual({
      kind: "columns",
      file: "t.csv",
      columns: {
        steps: { node: "one", widget: "steps" },
        prompt: { node: "one", widget: "text" },
      },
      title: "",
      group: "",
    });
    expect(columnNames('prompt,"the ""best"" one",steps\r\na,b,c')).toEqual([
      "prompt",
      'the "best" one',
      "steps",
    ]);
  });

  it("says what it lacks, at the axis that lacks it", () => {
    const empty = draft("one", "steps", { values: " " });
    const refusal = (...drafts: AxisDraft[]) => {
      try {
        recipe(...drafts);
      } catch (error) {
        if (error instanceof Unfinished) return [error.message, error.key];
        throw error;
      }
      return null;
    };
    expect(refusal(draft("one", "seed"), empty)).toEqual([
      "Give Steps at least one value.",
      empty.key,
    ]);
    const none = draft("one", "seed", { count: "0" });
    expect(refusal(none)?.[1]).toBe(none.key);
    expect(refusal(draft("one", "seed", { seed: "-3" }))).not.toBeNull();
    expect(refusal(draft("one", "text", { kind: "lines" }))?.[0]).toContain("text file");
  });

  it("is told of the server's refusal at its axis", () => {
    const drafts = [draft("one", "seed"), draft("one", "steps")];
    expect(axisIn("Axis 2: there is no file.", drafts, all)).toBe(drafts[1]?.key);
    expect(axisIn("Steps must be at least 1, not 0.", drafts, all)).toBe(drafts[1]?.key);
    expect(axisIn("This batch would have too many runs.", drafts, all)).toBeNull();
  });
});

it("a file is uploaded under a name that says whether it is a list or a table", () => {
  expect(named("prompts.txt", ".csv")).toBe("prompts.txt");
  expect(named("Table.CSV", ".csv")).toBe("Table.CSV");
  expect(named("prompts.md", ".txt")).toBe("prompts.txt");
  expect(named("prompts", ".txt")).toBe("prompts.txt");
});
