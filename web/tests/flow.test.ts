import { describe, expect, it } from "vitest";
import { edgeId, flowEdges, flowNodes, ofEdgeId } from "../src/canvas/flow";
import { moveNodes, setValue } from "../src/workflow/edits";
import { chain } from "./fixtures";

const NOTHING = { selected: new Set<string>(), measured: {} };
const NO_WIRES = new Set<string>();

describe("workflow to flow", () => {
  it("gives a node for each node and an edge for each wire", () => {
    const workflow = chain();
    const nodes = flowNodes(workflow, NOTHING, []);
    expect(nodes.map((node) => [node.id, node.position])).toEqual([
      ["load", { x: 0, y: 0 }],
      ["sample", { x: 400, y: 0 }],
      ["save", { x: 800, y: 0 }],
    ]);
    const edges = flowEdges(workflow, NO_WIRES, []);
    expect(edges.map((e) => [e.source, e.sourceHandle, e.target, e.targetHandle])).toEqual([
      ["load", "model", "sample", "model"],
      ["sample", "image", "save", "image"],
    ]);
  });

  it("keeps the objects of nodes that did not move, and the list when none did", () => {
    const workflow = chain();
    const before = flowNodes(workflow, NOTHING, []);
    const after = flowNodes(moveNodes(workflow, { save: { x: 8, y: 8 } }), NOTHING, before);
    expect(after[0]).toBe(before[0]);
    expect(after[2]).not.toBe(before[2]);
    expect(flowNodes(setValue(workflow, "sample", "steps", 5), NOTHING, before)).toBe(before);
    const edges = flowEdges(workflow, NO_WIRES, []);
    expect(flowEdges(setValue(workflow, "sample", "steps", 5), NO_WIRES, edges)).toBe(edges);
  });

  it("carries selection and measured size", () => {
    const size = { width: 280, height: 100 };
    const nodes = flowNodes(chain(), { selected: new Set(["load"]), measured: { load: size } }, []);
    expect(nodes[0]).toMatchObject({ selected: true, measured: size });
    expect(nodes[1]?.selected).toBe(false);
  });

  it("leaves out a wire whose source is not there", () => {
    const workflow = chain();
    delete workflow.nodes.load;
    expect(flowEdges(workflow, NO_WIRES, [])).toHaveLength(1);
  });

  it("reads back the input from an edge's id, whatever the node is called", () => {
    expect(ofEdgeId(edgeId("a:b", "images.0"))).toEqual({ node: "a:b", socket: "images.0" });
  });
});
