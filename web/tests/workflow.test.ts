import { describe, expect, it } from "vitest";
import { arrange, columns, placeMissing } from "../src/workflow/arrange";
import { cut, fromText, paste, toText } from "../src/workflow/clipboard";
import { setValue } from "../src/workflow/edits";
import { type Experience, forecast, signatures } from "../src/workflow/forecast";
import { emptyWorkflow, freshId } from "../src/workflow/model";
import { rowsOf } from "../src/workflow/sockets";
import { chain, DEFINITIONS } from "./fixtures";

const SIZE = () => ({ width: 280, height: 200 });

describe("copy and paste", () => {
  it("give the same nodes under fresh ids, with the wires among them", () => {
    const workflow = chain();
    const piece = fromText(toText(cut(workflow, ["sample", "save"])));
    expect(piece).not.toBeNull();
    if (!piece) return;
    const pasted = paste(workflow, piece, { x: 32, y: 32 });
    expect(pasted.names).toEqual(["sample_2", "save_2"]);
    expect(pasted.workflow.nodes.save_2?.inputs.image?.node).toBe("sample_2");
    expect(pasted.workflow.nodes.sample_2?.inputs.model?.node).toBe("load");
    expect(pasted.workflow.layout.nodes.save_2).toMatchObject({ x: 832, y: 32 });
  });

  it("into another workflow drop the wires whose source is not there", () => {
    const pasted = paste(emptyWorkflow(), cut(chain(), ["sample"]), { x: 0, y: 0 });
    expect(pasted.workflow.nodes.sample?.inputs).toEqual({});
  });

  it("any other text is not a workflow", () => {
    expect(fromText("a red circle")).toBeNull();
    expect(fromText('{"nodes": [1, 2]}')).toBeNull();
    expect(fromText('{"version": 1')).toBeNull();
  });
});

describe("places", () => {
  it("stand in columns from the sources on, and a cycle does not hang", () => {
    expect([...columns(chain()).values()]).toEqual([0, 1, 2]);
    const cyclic = chain();
    const load = cyclic.nodes.load;
    if (load) load.inputs.back = { node: "save", output: "image" };
    expect(columns(cyclic).size).toBe(3);
  });

  it("of a source is right before its first reader", () => {
    const workflow = chain();
    const base = { version: 1, title: "", mode: "run" as const, values: {} };
    workflow.nodes.late = { ...base, type: "load", inputs: {} };
    const save = workflow.nodes.save;
    if (save) save.inputs.extra = { node: "late", output: "model" };
    expect(columns(workflow).get("late")).toBe(1);
    expect(columns(workflow).get("load")).toBe(0);
  });

  it("never overlap after tidying up", () => {
    const workflow = paste(chain(), cut(chain(), ["load", "sample", "save"]), {
      x: 0,
      y: 0,
    }).workflow;
    const places = Object.values(arrange(workflow, SIZE).layout.nodes);
    for (const [i, a] of places.entries()) {
      for (const b of places.slice(i + 1)) {
        expect(Math.abs(a.x - b.x) >= 280 || Math.abs(a.y - b.y) >= 200).toBe(true);
      }
    }
  });

  it("are given to nodes without one and to no other", () => {
    const workflow = chain();
    delete workflow.layout.nodes.save;
    const placed = placeMissing(workflow, SIZE);
    expect(placed.layout.nodes.load).toEqual({ x: 0, y: 0 });
    expect(placed.layout.nodes.save?.y).toBeGreaterThanOrEqual(200);
  });

  it("a chain of 10,000 nodes is arranged and signed without recursion", () => {
    const workflow = emptyWorkflow();
    for (let i = 0; i < 10_000; i++) {
      const inputs = i ? { image: { node: `n${i - 1}`, output: "image" } } : {};
      workflow.nodes[`n${i}`] = {
        type: "t",
        version: 1,
        title: "",
        mode: "run",
        values: {},
        inputs: inputs as never,
      };
    }
    expect(columns(workflow).get("n9999")).toBe(9999);
    expect(signatures(workflow, ["n9999"]).size).toBe(10_000);
  });
});

describe("what Run will do", () => {
  const nothing: Experience = { done: new Map(), byType: new Map() };

  it("is everything at first", () => {
    expect(forecast(chain(), DEFINITIONS, nothing)).toEqual({ cached: 0, toRun: 3, seconds: null });
  });

  it("is only what changed, and what depends on it", () => {
    const done = new Map([...signatures(chain(), ["save"]).values()].map((s) => [s, 1]));
    const past: Experience = {
      done,
      byType: new Map([
        ["sample", 2],
        ["save", 0.5],
      ]),
    };
    expect(forecast(chain(), DEFINITIONS, past)).toEqual({ cached: 3, toRun: 0, seconds: 0 });
    const changed = setValue(chain(), "sample", "steps", 30);
    expect(forecast(changed, DEFINITIONS, past)).toEqual({ cached: 1, toRun: 2, seconds: 2.5 });
  });
});

describe("names and rows", () => {
  it("fresh ids are the type's last word, counted", () => {
    expect(freshId("pack.blur", new Set())).toBe("blur");
    expect(freshId("blur", new Set(["blur", "blur_2"]))).toBe("blur_3");
  });

  it("a variadic input shows its wires and one free socket", () => {
    const definition = DEFINITIONS.stack;
    if (!definition) throw new Error("no stack");
    const wire = { node: "sample", output: "image" };
    const stack = { type: "stack", version: 1, title: "", mode: "run" as const, values: {} };
    const none = rowsOf(definition, { ...stack, inputs: {} });
    expect(none.inputs.map((row) => row.name)).toEqual(["images.0"]);
    const two = rowsOf(definition, { ...stack, inputs: { "images.0": wire, "images.1": wire } });
    expect(two.inputs.map((row) => row.name)).toEqual(["images.0", "images.1", "images.2"]);
  });
});
