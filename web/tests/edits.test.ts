import { describe, expect, it } from "vitest";
import {
  addNode,
  applyEdits,
  connect,
  disconnect,
  moveNodes,
  removeNodes,
  setValue,
} from "../src/workflow/edits";
import { chain } from "./fixtures";

describe("edits", () => {
  it("share every node that they do not touch", () => {
    const before = chain();
    const after = setValue(before, "sample", "steps", 30);
    expect(after.nodes.sample?.values).toEqual({ seed: 7, steps: 30 });
    expect(after.nodes.load).toBe(before.nodes.load);
    expect(before.nodes.sample?.values.steps).toBe(20);
  });

  it("that change nothing give the same workflow, so that nothing is undone twice", () => {
    const before = chain();
    expect(setValue(before, "sample", "steps", 20)).toBe(before);
    expect(disconnect(before, "save", "nothing")).toBe(before);
    expect(moveNodes(before, { load: { x: 0, y: 0 } })).toBe(before);
    expect(connect(before, "save", "image", { node: "sample", output: "image" })).toBe(before);
    expect(removeNodes(before, ["nobody"])).toBe(before);
  });

  it("removing a node removes the wires that left it, and its place", () => {
    const after = removeNodes(chain(), ["sample"]);
    expect(Object.keys(after.nodes)).toEqual(["load", "save"]);
    expect(after.nodes.save?.inputs).toEqual({});
    expect(after.layout.nodes).not.toHaveProperty("sample");
  });

  it("moving a node keeps what else its layout holds", () => {
    const before = chain();
    before.layout.nodes.load = { x: 0, y: 0, collapsed: true, width: 320 };
    const after = moveNodes(before, { load: { x: 8, y: 16 } });
    expect(after.layout.nodes.load).toEqual({ x: 8, y: 16, collapsed: true, width: 320 });
  });

  it("unknown fields survive every edit", () => {
    const before = { ...chain(), future: { kept: true } };
    expect(setValue(before, "sample", "steps", 1).future).toEqual({ kept: true });
    expect(moveNodes(before, { load: { x: 1, y: 1 } }).future).toEqual({ kept: true });
  });
});

describe("a fix's edits", () => {
  it("can remove a value, so that the default counts again", () => {
    const before = setValue(chain(), "sample", "typo", 7);
    const after = applyEdits(before, [{ op: "unset_value", node: "sample", name: "typo" }]);
    expect(after.nodes.sample?.values).toEqual(chain().nodes.sample?.values);
  });

  it("are applied in order", () => {
    const after = applyEdits(chain(), [
      { op: "set_value", node: "sample", name: "seed", value: "18446744073709551615" },
      { op: "disconnect", node: "save", socket: "image" },
      { op: "unset_value", node: "save", name: "nothing" },
      {
        op: "connect",
        node: "save",
        socket: "image",
        wire: { node: "load", output: "model", allow: ["a", "b"] },
      },
      { op: "remove_node", node: "sample" },
    ]);
    expect(after.nodes.save?.inputs.image).toEqual({
      node: "load",
      output: "model",
      allow: ["a", "b"],
    });
    expect(Object.keys(after.nodes)).toEqual(["load", "save"]);
  });

  it("that add a node whose id is taken get a fresh id, and later edits mean the new node", () => {
    const node = {
      type: "load",
      version: 1,
      title: "",
      mode: "run" as const,
      values: {},
      inputs: {},
    };
    const after = applyEdits(chain(), [
      { op: "add_node", id: "load", node, near: "sample" },
      { op: "connect", node: "sample", socket: "model", wire: { node: "load", output: "model" } },
    ]);
    expect(after.nodes.sample?.inputs.model?.node).toBe("load_2");
    expect(after.nodes.load_2?.type).toBe("load");
  });

  it("place an added node before the node it is near, and on top of no other", () => {
    const node = {
      type: "load",
      version: 1,
      title: "",
      mode: "run" as const,
      values: {},
      inputs: {},
    };
    let workflow = addNode(chain(), "other", node, { x: 56, y: 0 });
    workflow = applyEdits(workflow, [{ op: "add_node", id: "new", node, near: "sample" }]);
    const at = workflow.layout.nodes.new;
    expect(at?.x).toBeLessThan(400);
    for (const [id, place] of Object.entries(workflow.layout.nodes)) {
      if (id === "new") continue;
      expect(
        Math.abs(place.x - (at?.x ?? 0)) >= 280 || Math.abs(place.y - (at?.y ?? 0)) >= 120,
      ).toBe(true);
    }
  });
});
