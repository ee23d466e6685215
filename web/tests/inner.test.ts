import { describe, expect, it } from "vitest";
import type { Workflow } from "../src/api/types";
import { newDocument } from "../src/store/documents";
import { documentOf, writingOf } from "../src/store/journal";
import { type AppForm, appOf, pinnables, shownPins, withApp } from "../src/workflow/app";
import { toggleShown } from "../src/workflow/exposing";
import { outermost, seedModeAt, valueAt, withSeedModeAt, withValueAt } from "../src/workflow/inner";
import { derived } from "../src/workflow/interface";
import { pinsPacked, pinsUnpacked } from "../src/workflow/movedPins";
import { pack, unpack } from "../src/workflow/packing";
import { changed } from "../src/workflow/subgraphs";
import { chain, DEFINITIONS } from "./fixtures";

function packedChain(): Workflow {
  return pack(chain(), ["sample"], "Draw")?.workflow as Workflow;
}

const STEPS = { node: "subgraph/sample", widget: "steps" };
const typesOf = (flow: Workflow) => ({ ...DEFINITIONS, ...derived(flow, [], DEFINITIONS) });

describe("values of nodes inside", () => {
  it("are read and set where they lie", () => {
    const flow = packedChain();
    expect(valueAt(flow, STEPS)).toBe(20);
    const next = withValueAt(flow, STEPS, 7);
    expect(valueAt(next, STEPS)).toBe(7);
    expect(next.subgraphs?.part?.nodes.sample?.values).toEqual({ seed: 7, steps: 7 });
    expect(withValueAt(flow, { node: "gone/x", widget: "steps" }, 1)).toBe(flow);
    expect(withValueAt(chain(), { node: "sample", widget: "steps" }, 3).nodes.sample?.values).toEqual(
      { seed: 7, steps: 3 },
    );
  });

  it("are the placed node's where that shows the widget", () => {
    const shown = toggleShown(packedChain(), "part", "sample", "steps");
    expect(outermost(shown, STEPS)).toEqual({ node: "subgraph", widget: "steps" });
    expect(valueAt(shown, STEPS)).toBe(20);
    const next = withValueAt(shown, STEPS, 9);
    expect(next.nodes.subgraph?.values).toEqual({ steps: 9 });
    expect(next.subgraphs?.part?.nodes.sample?.values.steps).toBe(20);
    expect(valueAt(next, STEPS)).toBe(9);
  });

  it("belong to one placed node alone, also where two stand for the same", () => {
    const flow = packedChain();
    const two = { ...flow, nodes: { ...flow.nodes, again: { ...flow.nodes.subgraph! } } };
    const next = withValueAt(two, STEPS, 5);
    expect(valueAt(next, STEPS)).toBe(5);
    expect(valueAt(next, { node: "again/sample", widget: "steps" })).toBe(20);
    expect(Object.keys(next.subgraphs ?? {})).toEqual(["part", "part_2"]);
  });

  it("have seeds that are fixed or drawn anew as those outside", () => {
    const fixed = withSeedModeAt(packedChain(), "subgraph/sample", "seed", "fixed");
    expect(seedModeAt(fixed, "subgraph/sample", "seed")).toBe("fixed");
    expect(seedModeAt(packedChain(), "subgraph/sample", "seed")).toBe("random");
  });
});

describe("the app view's pins", () => {
  const form: AppForm = {
    title: "",
    about: "",
    inputs: [
      { node: "sample", widget: "steps", label: "Steps" },
      { node: "sample", widget: "seed", label: "" },
    ],
    outputs: ["save"],
  };
  const flow = () => withApp(chain(), form);
  const packing = (before: Workflow, ids: string[], path: string[] = []) => {
    let made: ReturnType<typeof pack> = null;
    const after = changed(before, path, (level) => {
      made = pack(level, ids, "Draw");
      return (made as ReturnType<typeof pack>)?.workflow ?? level;
    });
    const { ids: to, names } = made as unknown as NonNullable<ReturnType<typeof pack>>;
    return pinsPacked({ before, after, path }, new Set(names.keys()), to[0] as string);
  };
  const unpacking = (before: Workflow, id: string, path: string[] = []) => {
    let names: ReadonlyMap<string, string> = new Map();
    const after = changed(before, path, (level) => {
      const made = unpack(level, id);
      names = made?.names ?? names;
      return made?.workflow ?? level;
    });
    const gives = (type: string) => DEFINITIONS[type]?.output ?? false;
    return pinsUnpacked({ before, after, path }, id, names, gives);
  };

  it("follow nodes that are packed, and come out with them", () => {
    const whole = packing(flow(), ["sample", "save"]);
    expect(appOf(whole).inputs.map(({ node }) => node)).toEqual([
      "subgraph/sample",
      "subgraph/sample",
    ]);
    expect(appOf(whole).outputs).toEqual(["subgraph/save"]);
    expect(appOf(unpacking(whole, "subgraph"))).toEqual(form);
  });

  it("follow nodes that are packed inside of a node, and no others", () => {
    const whole = packing(packing(flow(), ["sample", "save"]), ["sample"], ["subgraph"]);
    expect(appOf(whole).inputs[0]?.node).toBe("subgraph/subgraph/sample");
    expect(appOf(whole).outputs).toEqual(["subgraph/save"]);
    expect(appOf(unpacking(whole, "subgraph", ["subgraph"])).inputs[0]?.node).toBe(
      "subgraph/sample",
    );
  });

  it("at a widget that the node showed become those of the node inside", () => {
    const shown = toggleShown(packedChain(), "part", "sample", "steps");
    const pinned = withApp(shown, {
      ...form,
      inputs: [{ node: "subgraph", widget: "steps", label: "S" }],
      outputs: ["subgraph"],
    });
    const out = appOf(unpacking(pinned, "subgraph"));
    expect(out.inputs).toEqual([{ node: "sample", widget: "steps", label: "S" }]);
    expect(out.outputs).toEqual([]);
  });

  it("may be widgets inside, and are called by all the titles that lead there", () => {
    const whole = packing(flow(), ["sample", "save"]);
    const types = typesOf(whole);
    expect(pinnables(whole, types).map(({ node, title }) => [node, title])).toEqual([
      ["subgraph", "Draw"],
      ["subgraph/sample", "Draw / sample"],
      ["subgraph/save", "Draw / save"],
    ]);
    expect(shownPins(appOf(whole), whole, types).map(({ title }) => title)).toEqual([
      "Steps",
      "Draw / sample: seed",
    ]);
    const exposed = toggleShown(whole, "part", "sample", "steps");
    const found = pinnables(exposed, typesOf(exposed));
    expect(found.find(({ node }) => node === "subgraph")?.widgets.map((w) => w.name)).toEqual([
      "steps",
    ]);
    expect(
      found.find(({ node }) => node === "subgraph/sample")?.widgets.map((w) => w.name),
    ).toEqual(["seed"]);
  });
});

it("the level that is open is kept with the document", () => {
  const document = { ...newDocument(packedChain()), path: ["subgraph"] };
  const { kept, base } = writingOf(document, [], undefined, { x: 1, y: 2, zoom: 0.5 });
  expect(kept.inside).toEqual({ x: 1, y: 2, zoom: 0.5 });
  expect(documentOf(kept, base as Workflow, []).path).toEqual(["subgraph"]);
  const { path: _path, inside: _inside, ...older } = kept;
  expect(documentOf(older, base as Workflow, []).path).toEqual([]);
});
