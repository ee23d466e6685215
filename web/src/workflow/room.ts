/** Room on the canvas: the free place nearest to where a node is wanted. */

import type { Size } from "./arrange";
import type { Point } from "./edits";

export interface Box extends Point, Size {}

const APART = 32; // pixels between a node and one that is put beside it
const NEAREST = 30; // boxes that places are tried around; further ones are only kept clear of

const snap = (value: number) => Math.round(value / 8) * 8;

function overlap(a: Box, b: Box): boolean {
  const across = a.x < b.x + b.width + APART && b.x < a.x + a.width + APART;
  const down = a.y < b.y + b.height + APART && b.y < a.y + a.height + APART;
  return across && down;
}

/** The place nearest to `wanted` where a node of this size touches none of the boxes. */
export function freePlace(boxes: readonly Box[], wanted: Point, size: Size): Point {
  const far = (p: Point) => Math.hypot(p.x - wanted.x, p.y - wanted.y);
  const near = [...boxes].sort((a, b) => far(a) - far(b)).slice(0, NEAREST);
  const xs = [wanted.x, ...near.flatMap((b) => [b.x - size.width - APART, b.x + b.width + APART])];
  const ys = [
    wanted.y,
    ...near.flatMap((b) => [b.y - size.height - APART, b.y + b.height + APART]),
  ];
  const places = xs.flatMap((x) => ys.map((y) => ({ x, y }))).sort((a, b) => far(a) - far(b));
  const free = places.find((at) => !boxes.some((box) => overlap({ ...at, ...size }, box)));
  if (free) return { x: snap(free.x), y: snap(free.y) };
  // Hemmed in on all sides: below everything.
  const bottom = boxes.reduce((lowest, box) => Math.max(lowest, box.y + box.height), wanted.y);
  return { x: snap(wanted.x), y: snap(bottom + APART) };
}
