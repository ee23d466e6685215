import { describe, expect, it } from "vitest";
import { coverage, dabs, feathered, MaskHistory, pieceOf } from "../src/workflow/painting";

it("dabs reach the end of the stroke and lie no further apart than they may", () => {
  const from = { x: 0, y: 0 };
  const made = dabs(from, { x: 30, y: 40 }, 7);
  expect(made.at(-1)).toEqual({ x: 30, y: 40 });
  const steps = [from, ...made].slice(1).map((spot, index) => {
    const last = index === 0 ? from : made[index - 1];
    return Math.hypot(spot.x - (last?.x ?? 0), spot.y - (last?.y ?? 0));
  });
  expect(Math.max(...steps)).toBeLessThanOrEqual(7);
  expect(dabs(from, from, 7)).toEqual([from]);
});

it("a piece is whole pixels inside of the picture, whichever way it was drawn", () => {
  const piece = { x: 10, y: 0, width: 20, height: 15 };
  expect(pieceOf({ x: 10.2, y: -5 }, { x: 30.4, y: 15 }, 100, 50)).toEqual(piece);
  expect(pieceOf({ x: 30.4, y: 15 }, { x: 10.2, y: -5 }, 100, 50)).toEqual(piece);
  expect(pieceOf({ x: 10, y: 10 }, { x: 10.2, y: 40 }, 100, 50)).toBeNull();
});

describe("the history of a mask", () => {
  const mask = (value: number) => new Uint8Array(4).fill(value);
  it("goes back and forth, and forgets what was undone once one paints on", () => {
    const history = new MaskHistory();
    history.keep(mask(0));
    history.keep(mask(1));
    expect(history.undo(mask(2))).toEqual(mask(1));
    expect(history.undo(mask(1))).toEqual(mask(0));
    expect(history.undo(mask(0))).toBeNull();
    expect(history.redo(mask(0))).toEqual(mask(1));
    history.keep(mask(1));
    expect(history.canRedo).toBe(false);
  });
  it("forgets a stroke that was begun and is none", () => {
    const history = new MaskHistory();
    history.keep(mask(0));
    history.keep(mask(1));
    expect(history.drop()).toEqual(mask(1));
    expect(history.canRedo).toBe(false);
    expect(history.undo(mask(1))).toEqual(mask(0));
  });
  it("never takes more than its bytes", () => {
    const history = new MaskHistory(12);
    for (const value of [1, 2, 3, 4, 5]) history.keep(mask(value));
    const back = [history.undo(mask(6)), history.undo(mask(5)), history.undo(mask(4))];
    expect(back).toEqual([mask(5), mask(4), mask(3)]);
    expect(history.canUndo).toBe(false);
  });
});

it("coverage is the share that is painted", () => {
  expect(coverage(new Uint8Array([255, 0, 255, 0]))).toBe(0.5);
});

describe("a feathered mask", () => {
  const width = 64;
  const half = () =>
    Uint8Array.from({ length: width * 8 }, (_, at) => (at % width < width / 2 ? 255 : 0));
  const row = (mask: Uint8Array, index = 4) => [...mask.slice(index * width, (index + 1) * width)];

  it("fades over about the radius to both sides, and stays what it was further away", () => {
    const faded = row(feathered(half(), width, 9));
    expect(faded[31 - 9]).toBe(255);
    expect(faded[32 + 9]).toBe(0);
    expect(faded[31 - 5]).toBeGreaterThan(128);
    expect(faded[31 - 5]).toBeLessThan(255);
    expect(faded[31]! + faded[32]!).toBeGreaterThanOrEqual(254); // 128 in the middle, rounded
    expect(faded[31]! + faded[32]!).toBeLessThanOrEqual(256);
    expect(faded.every((value, at) => at === 0 || value <= faded[at - 1]!)).toBe(true);
  });

  it("goes on at the border as it is there, and is as much covered as before", () => {
    const mask = feathered(half(), width, 6);
    expect(row(mask, 0)).toEqual(row(mask, 7));
    expect(coverage(mask)).toBeCloseTo(0.5, 2); // to a percent: each pixel is rounded
    expect(feathered(new Uint8Array(width * 4).fill(255), width, 20).every((v) => v === 255)).toBe(
      true,
    );
  });
});
