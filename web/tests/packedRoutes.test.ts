import { describe, expect, it } from "vitest";
import type { Workflow } from "../src/api/types";
import { pack, unpack } from "../src/workflow/packing";
import { addDot, dotsOf, pruned } from "../src/workflow/reroutes";
import { INPUTS, levelOf, OUTPUTS } from "../src/workflow/subgraphs";
import { chain } from "./fixtures";

const SAMPLE = { node: "sample", socket: "model" };
const SAVE = { node: "save", socket: "image" };

/** load → far → near → sample → exit → save: dots at 100 and 380, 500; sample lies at 400. */
function dotted(): Workflow {
  let flow = addDot(chain(), { start: null, end: null, to: SAMPLE }, { x: 100, y: 8 }, "far");
  flow = addDot(flow, { start: "far", end: null, to: SAMPLE }, { x: 420, y: 24 }, "near");
  flow = addDot(flow, { start: null, end: null, to: SAVE }, { x: 500, y: 40 }, "exit");
  return addDot(flow, { start: "exit", end: null, to: SAVE }, { x: 790, y: 48 }, "beyond");
}

function packed(flow: Workflow, ids: string[]): { whole: Workflow; id: string; inside: Workflow } {
  const made = pack(flow, ids, "Draw");
  if (!made) throw new Error("nothing was packed");
  const id = made.ids[0] as string;
  return { whole: made.workflow, id, inside: levelOf(made.workflow, [id]) };
}

describe("the dots of packed nodes", () => {
  it("stay on the side of the new node where they lie", () => {
    const { whole, id, inside } = packed(dotted(), ["sample"]);
    expect(dotsOf(whole, id, "model")).toEqual(["far"]);
    expect(dotsOf(inside, "sample", "model")).toEqual(["near"]);
    expect(inside.nodes.sample?.inputs.model?.node).toBe(INPUTS);
    expect(dotsOf(inside, OUTPUTS, "image")).toEqual(["exit"]);
    expect(dotsOf(whole, "save", "image")).toEqual(["beyond"]);
    expect(inside.layout.reroutes?.near).toEqual({ x: 420, y: 24 });
    // Neither level has dots or routes left over.
    expect(pruned(whole)).toBe(whole);
    expect(pruned(inside)).toBe(inside);
    expect(Object.keys(whole.layout.reroutes ?? {}).sort()).toEqual(["beyond", "far"]);
  });

  it("go inside with a wire that does", () => {
    const { whole, inside } = packed(dotted(), ["load", "sample"]);
    expect(dotsOf(inside, "sample", "model")).toEqual(["far", "near"]);
    expect(whole.layout.reroutes).toEqual({ beyond: { x: 790, y: 48 } });
  });

  it("are as they were once the node is unpacked, wherever it was moved to", () => {
    for (const chosen of [["sample"], ["load", "sample"], ["sample", "save"], ["save"]]) {
      const before = dotted();
      const { whole, id } = packed(before, chosen);
      const out = unpack(whole, id)?.workflow as Workflow;
      expect(dotsOf(out, "sample", "model"), chosen.join()).toEqual(["far", "near"]);
      expect(dotsOf(out, "save", "image"), chosen.join()).toEqual(["exit", "beyond"]);
      expect(out.layout.reroutes, chosen.join()).toEqual(before.layout.reroutes);
    }
    const { whole, id } = packed(dotted(), ["sample"]);
    const place = whole.layout.nodes[id] ?? { x: 0, y: 0 };
    const moved = { ...whole.layout.nodes, [id]: { x: place.x + 80, y: place.y + 160 } };
    const out = unpack({ ...whole, layout: { ...whole.layout, nodes: moved } }, id)?.workflow;
    expect(out?.layout.reroutes?.near).toMatchObject({ x: 500, y: 184 });
    expect(out?.layout.reroutes?.far).toMatchObject({ x: 100, y: 8 });
  });

  it("that wires share are shared on both sides", () => {
    const flow = dotted();
    const save = flow.nodes.save!;
    const two: Workflow = {
      ...flow,
      nodes: { ...flow.nodes, more: { ...save } },
      layout: {
        ...flow.layout,
        nodes: { ...flow.layout.nodes, more: { x: 800, y: 300 } },
        wires: { ...flow.layout.wires, more: { image: { via: "exit" } } },
      },
    };
    const { whole, id, inside } = packed(two, ["sample"]);
    expect(dotsOf(inside, OUTPUTS, "image")).toEqual(["exit"]);
    expect(dotsOf(whole, "more", "image")).toEqual([]);
    expect(dotsOf(whole, "save", "image")).toEqual(["beyond"]);
    const out = unpack(whole, id)?.workflow as Workflow;
    expect(dotsOf(out, "more", "image")).toEqual(["exit"]);
    expect(out.layout).toEqual(two.layout);
  });

  it("that another wire to a node outside passes, too, stay there", () => {
    const flow = dotted();
    const other: Workflow = {
      ...flow,
      nodes: { ...flow.nodes, second: { ...flow.nodes.sample! } },
      layout: {
        ...flow.layout,
        nodes: { ...flow.layout.nodes, second: { x: 400, y: 500 } },
        wires: { ...flow.layout.wires, second: { model: { via: "far" } } },
      },
    };
    const { whole, id } = packed(other, ["sample"]);
    expect(dotsOf(whole, id, "model")).toEqual(["far"]);
    expect(dotsOf(whole, "second", "model")).toEqual(["far"]);
  });

  it("do not clash with dots of the same name outside", () => {
    const { whole, id } = packed(dotted(), ["load", "sample"]);
    const clash = addDot(whole, { start: null, end: null, to: SAVE }, { x: 700, y: 90 }, "near");
    const out = unpack(clash, id)?.workflow as Workflow;
    expect(dotsOf(out, "sample", "model")).toHaveLength(2);
    expect(new Set([...dotsOf(out, "sample", "model"), ...dotsOf(out, "save", "image")]).size).toBe(
      dotsOf(out, "sample", "model").length + dotsOf(out, "save", "image").length,
    );
  });
});
