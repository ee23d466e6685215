import { describe, expect, it } from "vitest";
import { estimateOf } from "../src/canvas/estimate";
import { flowNodes } from "../src/canvas/flow";
import { inSight, overlap } from "../src/canvas/scene";
import { chain, DEFINITIONS } from "./fixtures";

const flow = chain();
const ids = Object.keys(flow.nodes);
const estimate = (id: string, width: number) =>
  estimateOf(flow, id, DEFINITIONS[flow.nodes[id]?.type ?? ""], width);

describe("nodes that were never drawn", () => {
  it("have every socket that a wire ends at", () => {
    for (const [id, node] of Object.entries(flow.nodes)) {
      const names = estimate(id, 280).handles.map((handle) => `${handle.type}:${handle.id}`);
      for (const socket of Object.keys(node.inputs)) expect(names).toContain(`target:${socket}`);
    }
  });

  it("are reckoned once for as long as nothing changes", () => {
    const id = ids[0] as string;
    expect(estimate(id, 280)).toBe(estimate(id, 280));
    expect(estimate(id, 300)).not.toBe(estimate(id, 280));
  });

  it("have a height that no drawn node has", () => {
    for (const id of ids) expect(Number.isInteger(estimate(id, 280).size.height)).toBe(false);
  });
});

describe("the overview", () => {
  it("hides all nodes but those that it shows, and keeps the objects of the others", () => {
    const view = { selected: new Set<string>(), measured: {}, estimate };
    const before = flowNodes(flow, { ...view, shown: new Set() }, []);
    expect(before.every((node) => node.hidden)).toBe(true);
    const shown = new Set([ids[1] as string]);
    const after = flowNodes(flow, { ...view, shown }, before);
    expect(after.filter((node) => !node.hidden).map((node) => node.id)).toEqual([ids[1]]);
    expect(after.filter((node, index) => node === before[index])).toHaveLength(ids.length - 1);
  });

  it("knows what is in sight", () => {
    const sight = inSight([-100, -200, 0.5], 800, 600);
    expect(sight).toEqual({ left: 200, top: 400, right: 1800, bottom: 1600 });
    expect(overlap(sight, { left: 0, top: 0, right: 199, bottom: 1000 })).toBe(false);
    expect(overlap(sight, { left: 0, top: 0, right: 201, bottom: 1000 })).toBe(true);
  });
});
