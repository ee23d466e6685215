import { describe, expect, it } from "vitest";
import { aligned, distributed } from "../src/workflow/align";
import { connect, setLayout } from "../src/workflow/edits";
import { addGroup } from "../src/workflow/frames";
import { descendants } from "../src/workflow/model";
import { addDot } from "../src/workflow/reroutes";
import { looseEnds, replaced, wiresKept } from "../src/workflow/rewire";
import { boxOf, membersOf } from "../src/workflow/things";
import { tidied } from "../src/workflow/tidy";
import { chain, DEFINITIONS } from "./fixtures";

const SIZE = { width: 200, height: 100 };
const sizeOf = () => SIZE;
const BOXES = {
  a: { x: 0, y: 0, width: 100, height: 50 },
  b: { x: 150, y: 30, width: 50, height: 100 },
  c: { x: 500, y: 300, width: 100, height: 50 },
};

describe("boxes", () => {
  it("are aligned at the side of the outermost one", () => {
    expect(aligned(BOXES, "left").b).toEqual({ x: 0, y: 30 });
    expect(aligned(BOXES, "right").b).toEqual({ x: 550, y: 30 });
    expect(aligned(BOXES, "bottom").a).toEqual({ x: 0, y: 300 });
    expect(aligned(BOXES, "centre").b?.x).toBe(275);
  });

  it("are distributed with equal gaps, and the outermost stay", () => {
    const places = distributed(BOXES, "across");
    expect(places.a).toEqual({ x: 0, y: 0 });
    expect(places.c).toEqual({ x: 500, y: 300 });
    expect(places.b).toEqual({ x: 275, y: 30 });
    expect(distributed({ a: BOXES.a, b: BOXES.b }, "across")).toEqual({});
  });
});

describe("the automatic layout", () => {
  const overlaps = (workflow: ReturnType<typeof chain>) => {
    const boxes = Object.keys(workflow.nodes).map((id) => boxOf(workflow, id, sizeOf)!);
    return boxes.some((a, i) =>
      boxes.some(
        (b, j) =>
          i < j && a.x < b.x + b.width && b.x < a.x + a.width && Math.abs(a.y - b.y) < a.height,
      ),
    );
  };

  it("puts sources left of their readers, none over another, wires straight", () => {
    const piled = chain();
    piled.layout.nodes = {
      load: { x: 80, y: 40 },
      sample: { x: 80, y: 40 },
      save: { x: 80, y: 40 },
    };
    const end = { start: null, end: null, to: { node: "save", socket: "image" } };
    const { layout, ...rest } = tidied(addDot(piled, end, { x: 1, y: 1 }), sizeOf);
    expect(overlaps({ ...rest, layout } as never)).toBe(false);
    const { load, sample, save } = layout.nodes;
    expect(load!.x).toBeLessThan(sample!.x);
    expect(sample!.x).toBeLessThan(save!.x);
    expect(load).toMatchObject({ x: 80 });
    expect(layout.reroutes).toEqual({});
  });

  it("keeps groups together and leaves pinned nodes where they are", () => {
    const pinned = setLayout(chain(), "save", { pinned: true, x: 0, y: 900 });
    const { workflow } = addGroup(pinned, { x: -24, y: -64, width: 700, height: 300 }, "First");
    const done = tidied(workflow, sizeOf);
    expect(done.layout.nodes.save).toMatchObject({ x: 0, y: 900 });
    expect(membersOf(done, done.groups[0]!, sizeOf)).toEqual(["load", "sample"]);
  });
});

describe("a node", () => {
  it("that is exchanged keeps the wires and values that both have", () => {
    const { sample, stack, save } = DEFINITIONS;
    const other = {
      ...sample!,
      type: "other",
      widgets: sample!.widgets.map((w) => (w.name === "seed" ? { ...w, schema: {} } : w)),
    };
    const done = replaced(chain(), "sample", sample!, other);
    expect(done.workflow.nodes[done.id]).toMatchObject({
      type: "other",
      inputs: { model: { node: "load", output: "model" } },
      values: { steps: 20, seed: 0 },
    });
    expect(done.workflow.nodes.save?.inputs.image?.node).toBe(done.id);
    expect(done.workflow.layout.nodes[done.id]).toEqual({ x: 400, y: 0 });
    expect(done.workflow.nodes.sample).toBeUndefined();
    expect(wiresKept(chain(), "sample", sample!, stack!)).toBe(1); // only its picture
    const stacked = replaced(chain(), "save", save!, stack!);
    expect(stacked.workflow.nodes[stacked.id]?.inputs["images.0"]?.node).toBe("sample");
  });

  it("that goes leaves each reader the outputs that fed it, through others that go", () => {
    const workflow = connect(chain(), "save", "extra", { node: "sample", output: "image" });
    expect(looseEnds(workflow, new Set(["sample"]))).toEqual([
      { node: "save", socket: "image", sources: [{ node: "load", output: "model" }] },
      { node: "save", socket: "extra", sources: [{ node: "load", output: "model" }] },
    ]);
    expect(looseEnds(workflow, new Set(["sample", "load"]))[0]?.sources).toEqual([]);
  });

  it("leads to all that it feeds, also where wires go in a ring", () => {
    const ring = connect(chain(), "load", "back", { node: "save", output: "image" });
    expect([...descendants(ring, ["sample"])].sort()).toEqual(["load", "sample", "save"]);
    expect([...descendants(chain(), ["sample"])].sort()).toEqual(["sample", "save"]);
  });
});
