import { describe, expect, it } from "vitest";
import {
  type AppForm,
  appOf,
  isPinned,
  movedPin,
  shownPins,
  suggested,
  toggleOutput,
  togglePin,
  withApp,
} from "../src/workflow/app";
import { emptyWorkflow } from "../src/workflow/model";
import { widget } from "./fixtures";

const TYPES = {
  encode: {
    title: "Encode",
    inputs: [{ name: "clip", term: { kind: "Clip", arguments: [] } }],
    widgets: [widget("text", { control: "multiline", title: "Text" })],
    output: false,
  },
  note: { title: "Note", inputs: [], widgets: [widget("text", { control: "multiline" })] },
  sample: {
    title: "Sample",
    inputs: [],
    widgets: [widget("seed", { control: "seed", title: "Seed" }), widget("steps")],
    output: false,
  },
  save: { title: "Save", inputs: [], widgets: [], output: true },
} as never;

const flow = () =>
  ({
    ...emptyWorkflow(),
    nodes: {
      p: { type: "encode", title: "Prompt", mode: "run", values: {}, inputs: {} },
      n: { type: "note", title: "", mode: "run", values: {}, inputs: {} },
      s: { type: "sample", title: "", mode: "run", values: {}, inputs: {} },
      o: { type: "save", title: "", mode: "run", values: {}, inputs: {} },
    },
  }) as never as ReturnType<typeof emptyWorkflow>;

const EMPTY: AppForm = { title: "", about: "", inputs: [], outputs: [] };

it("a form is kept in the workflow, and what others wrote there stays", () => {
  const form = toggleOutput(togglePin(EMPTY, "p", "text"), "o");
  const kept = withApp({ ...flow(), app: { theirs: 1 } }, form);
  expect(appOf(kept)).toEqual(form);
  expect(kept.app?.theirs).toBe(1);
});

it.each([{}, { inputs: 3 }, { inputs: [null, { node: 1 }], outputs: ["o", 2] }])(
  "a form of another program is no error: %j",
  (app) => {
    expect(appOf({ app } as never).inputs).toEqual([]);
  },
);

it("pinning twice unpins", () => {
  const once = togglePin(EMPTY, "p", "text");
  expect(isPinned(once, "p", "text")).toBe(true);
  expect(togglePin(once, "p", "text")).toEqual(EMPTY);
});

it("a suggestion has prompts, seeds and results, and no notes", () => {
  const form = suggested(flow(), TYPES);
  expect(form.inputs.map(({ node, widget: name }) => `${node}.${name}`)).toEqual([
    "p.text",
    "s.seed",
  ]);
  expect(form.outputs).toEqual(["o"]);
});

describe("pins", () => {
  const form = togglePin(togglePin(EMPTY, "p", "text"), "s", "seed");
  it("are called by their label, else by node and widget", () => {
    expect(shownPins(form, flow(), TYPES).map(({ title }) => title)).toEqual([
      "Prompt",
      "Sample: Seed",
    ]);
  });
  it("whose node is gone or whose widget is wired are not shown", () => {
    const changed = flow();
    delete changed.nodes.p;
    const sample = changed.nodes.s;
    if (sample) sample.inputs.seed = { node: "x", output: "y" };
    expect(shownPins(form, changed, TYPES)).toEqual([]);
  });
  it("can change their places", () => {
    expect(movedPin(form, 0, 1).inputs.map(({ node }) => node)).toEqual(["s", "p"]);
    expect(movedPin(form, 0, -1)).toEqual(form);
  });
});
