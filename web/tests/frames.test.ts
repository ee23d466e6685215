import { describe, expect, it } from "vitest";
import { addGroup, addNote, around, holds, setGroup } from "../src/workflow/frames";
import { normalised } from "../src/workflow/model";
import { catchOn } from "../src/workflow/snapping";
import { isPinned, membersOf, moveThings, removeThings, shiftThings } from "../src/workflow/things";
import { setLayout } from "../src/workflow/edits";
import { chain } from "./fixtures";

const SIZE = { width: 200, height: 100 };
const sizeOf = () => SIZE;
const BOX = { x: -24, y: -64, width: 700, height: 300 };

describe("a group", () => {
  it("is drawn around what is chosen, with room for its title", () => {
    expect(around([{ x: 0, y: 0, ...SIZE }])).toEqual({ x: -24, y: -64, width: 248, height: 188 });
  });

  it("holds what has its middle in it", () => {
    const { workflow, id } = addGroup(chain(), BOX, "First");
    expect(membersOf(workflow, workflow.groups[0]!, sizeOf)).toEqual(["load", "sample"]);
    expect(holds({ ...workflow.groups[0]!, id }, { x: 640, y: 0, ...SIZE })).toBe(false);
  });

  it("goes without what lies in it, and with another id than those that are there", () => {
    const one = addGroup(chain(), BOX, "");
    const two = addGroup(one.workflow, BOX, "");
    expect(two.id).not.toBe(one.id);
    const left = removeThings(two.workflow, [`@group:${one.id}`]);
    expect(left.groups.map(({ id }) => id)).toEqual([two.id]);
    expect(Object.keys(left.nodes)).toHaveLength(3);
  });
});

describe("things", () => {
  it("of every kind move alike", () => {
    const { workflow, id } = addNote(chain(), { x: 0, y: 400 });
    const moved = moveThings(workflow, {
      load: { x: 8, y: 8 },
      [`@note:${id}`]: { x: 16, y: 408 },
    });
    expect(moved.layout.nodes.load).toMatchObject({ x: 8, y: 8 });
    expect(moved.notes[0]).toMatchObject({ x: 16, y: 408 });
    expect(moveThings(moved, { load: { x: 8, y: 8 } })).toBe(moved);
  });

  it("that are pinned stay", () => {
    const pinned = setLayout(chain(), "load", { pinned: true });
    expect(isPinned(pinned, "load")).toBe(true);
    const moved = shiftThings(pinned, ["load", "sample"], { x: 8, y: 0 }, sizeOf);
    expect(moved.layout.nodes.load?.x).toBe(0);
    expect(moved.layout.nodes.sample?.x).toBe(408);
  });

  it("keep the same object where nothing changed", () => {
    const { workflow, id } = addGroup(chain(), BOX, "First");
    expect(setGroup(workflow, id, { title: "First" })).toBe(workflow);
  });
});

describe("a file's frames", () => {
  it("get ids of their own, and what is no frame is left out", () => {
    const frame = { x: 0, y: 0, width: 8, height: 8 };
    const raw = { ...chain(), groups: [frame, { ...frame, id: "group" }, 5, null], notes: {} };
    const read = normalised(raw as never);
    expect(read.groups.map(({ id, title }) => [id, title])).toEqual([
      ["group", ""],
      ["group_2", ""],
    ]);
    expect(read.notes).toEqual([]);
  });
});

describe("a dragged box", () => {
  const other = { x: 300, y: 100, ...SIZE };

  it("catches on edges and middles that are near", () => {
    const box = { x: 304, y: 400, ...SIZE };
    expect(catchOn(box, [other], 6)).toEqual({ dx: -4, dy: 0, x: 300, y: null });
    expect(catchOn({ ...box, x: 97 }, [other], 6)).toMatchObject({ dx: 3, x: 300 });
    expect(catchOn({ ...box, x: 352, width: 100 }, [other], 6)).toMatchObject({ dx: -2, x: 400 });
  });

  it("does not catch on what is far", () => {
    expect(catchOn({ x: 0, y: 400, ...SIZE }, [other], 6)).toMatchObject({ dx: 0, x: null });
  });
});
