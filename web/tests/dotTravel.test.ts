import { describe, expect, it } from "vitest";
import type { Workflow } from "../src/api/types";
import { lastPiece, nextThing } from "../src/workflow/dotTravel";
import { addDot, dotsOf } from "../src/workflow/reroutes";
import { removeThings, shiftThings } from "../src/workflow/things";
import { chain } from "./fixtures";

const SAVE = { node: "save", socket: "image" };

/** sample → one → two → save, and from "one" a wire to a second save further down. */
function dotted(): Workflow {
  let flow = addDot(chain(), { start: null, end: null, to: SAVE }, { x: 500, y: 40 }, "one");
  flow = addDot(flow, { start: "one", end: null, to: SAVE }, { x: 700, y: 40 }, "two");
  return {
    ...flow,
    nodes: { ...flow.nodes, more: { ...flow.nodes.save! } },
    layout: {
      ...flow.layout,
      nodes: { ...flow.layout.nodes, more: { x: 800, y: 300 } },
      wires: { ...flow.layout.wires, more: { image: { via: "one" } } },
    },
  };
}

describe("going along a wire", () => {
  it("stops at every dot, there and back", () => {
    const flow = dotted();
    const way = (start: string, direction: "upstream" | "downstream") => {
      const found = [start];
      for (let at: string | null = start; (at = nextThing(flow, at, direction)); ) found.push(at);
      return found;
    };
    expect(way("load", "downstream")).toEqual(["load", "sample", "@dot:one", "@dot:two", "save"]);
    expect(way("save", "upstream")).toEqual(["save", "@dot:two", "@dot:one", "sample", "load"]);
    expect(way("more", "upstream")).toEqual(["more", "@dot:one", "sample", "load"]);
  });

  it("goes through the dots beside each other, and past what is not there", () => {
    const flow = dotted();
    expect(nextThing(flow, "@dot:one", "next")).toBe("@dot:two");
    expect(nextThing(flow, "@dot:two", "previous")).toBe("@dot:one");
    expect(nextThing(flow, "@dot:one", "previous")).toBeNull();
    expect(nextThing(flow, "@dot:gone", "next")).toBeNull();
    expect(nextThing(flow, "@note:n", "downstream")).toBeNull();
  });

  it("may put a dot in the middle of the last piece, which is moved and removed like a node", () => {
    const piece = lastPiece(dotted(), "save", "image");
    expect(piece?.segment).toMatchObject({ start: "two", end: null, to: SAVE });
    expect(piece?.middle.x).toBeGreaterThan(700);
    const flow = addDot(dotted(), piece!.segment, piece!.middle, "three");
    expect(dotsOf(flow, "save", "image")).toEqual(["one", "two", "three"]);
    const size = () => ({ width: 16, height: 16 });
    const moved = shiftThings(flow, ["@dot:three"], { x: 8, y: -8 }, size);
    expect(moved.layout.reroutes?.three?.x).toBe(piece!.middle.x + 8);
    expect(dotsOf(removeThings(moved, ["@dot:two"]), "save", "image")).toEqual(["one", "three"]);
    expect(lastPiece(flow, "save", "gone")).toBeNull();
  });
});
