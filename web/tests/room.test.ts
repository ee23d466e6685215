import { describe, expect, it } from "vitest";
import { freePlace } from "../src/workflow/room";

const size = { width: 280, height: 160 };

describe("a free place", () => {
  it("is where the node is wanted, on the grid, when nothing lies there", () => {
    expect(freePlace([], { x: 101, y: 43 }, size)).toEqual({ x: 104, y: 40 });
  });

  it("lies beside what is there, and near", () => {
    const there = { x: 0, y: 0, width: 280, height: 400 };
    const at = freePlace([there], { x: 0, y: 300 }, size);
    expect(at).toEqual({ x: 0, y: 432 });
  });

  it("touches none of many nodes", () => {
    const boxes = Array.from({ length: 100 }, (_, i) => ({
      x: (i % 10) * 300,
      y: Math.floor(i / 10) * 180,
      ...size,
    }));
    const at = freePlace(boxes, { x: 1350, y: 810 }, size);
    for (const box of boxes) {
      const apart = Math.abs(at.x - box.x) >= size.width || Math.abs(at.y - box.y) >= size.height;
      expect(apart).toBe(true);
    }
  });
});
