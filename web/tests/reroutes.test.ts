import { describe, expect, it } from "vitest";
import { flowEdges } from "../src/canvas/flow";
import { connect, disconnect, removeNodes } from "../src/workflow/edits";
import { addDot, dotsOf, pruned, removeDot, segmentsOf, setRoute } from "../src/workflow/reroutes";
import { chain } from "./fixtures";

const AT = { x: 600, y: 40 };
const END = { start: null, end: null, to: { node: "save", socket: "image" } };

/** load → sample → dot → save */
const bent = () => addDot(chain(), END, AT, "dot");

/** A second reader of the sample's picture, through the same dot. */
function shared() {
  const wire = { node: "sample", output: "image" };
  return setRoute(connect(bent(), "load", "extra", wire), "load", "extra", "dot");
}

describe("a dot", () => {
  it("bends a wire and leaves what it carries as it is", () => {
    expect(dotsOf(bent(), "save", "image")).toEqual(["dot"]);
    expect(bent().nodes).toEqual(chain().nodes);
    expect(flowEdges(bent(), new Set(), []).map((e) => [e.source, e.target])).toEqual([
      ["load", "sample"],
      ["sample", "@dot:dot"],
      ["@dot:dot", "save"],
    ]);
  });

  it("comes before or after another, as the piece was that it was put on", () => {
    const last = addDot(bent(), { ...END, start: "dot" }, AT, "last");
    const first = addDot(last, { ...END, end: "dot" }, AT, "first");
    expect(dotsOf(first, "save", "image")).toEqual(["first", "dot", "last"]);
    expect(dotsOf(removeDot(first, "dot"), "save", "image")).toEqual(["first", "last"]);
    expect(dotsOf(removeDot(first, "last"), "save", "image")).toEqual(["first", "dot"]);
  });

  it("may be shared, and then is drawn once", () => {
    const pieces = [...segmentsOf(shared())].filter(({ end }) => end === "dot");
    expect(pieces).toHaveLength(1);
    const before = addDot(shared(), { ...END, end: "dot" }, AT, "before");
    expect(dotsOf(before, "load", "extra")).toEqual(["before", "dot"]);
  });

  it("goes with its last wire", () => {
    const one = pruned(disconnect(shared(), "save", "image"));
    expect(Object.keys(one.layout.reroutes ?? {})).toEqual(["dot"]);
    const none = pruned(disconnect(one, "load", "extra"));
    expect(none.layout.reroutes).toEqual({});
    expect(none.layout.wires).toEqual({});
    expect(pruned(removeNodes(bent(), ["sample"])).layout.reroutes).toEqual({});
  });

  it("carries one output: a wire that comes from another leaves it", () => {
    const other = pruned(connect(shared(), "load", "extra", { node: "load", output: "model" }));
    const kept = [dotsOf(other, "save", "image"), dotsOf(other, "load", "extra")];
    expect(kept.filter((path) => path.length)).toHaveLength(1);
  });

  it("that follows itself in a file is no endless way", () => {
    const workflow = bent();
    workflow.layout.reroutes = { dot: { ...AT, after: "dot" } };
    expect(dotsOf(workflow, "save", "image")).toEqual(["dot"]);
  });

  it("leaves a workflow without dots alone", () => {
    const workflow = chain();
    expect(pruned(workflow)).toBe(workflow);
  });
});
