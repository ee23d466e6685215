/** Places for boxes in a line, or with equal gaps. */

import type { Point } from "./edits";
import type { Box } from "./room";

export type Side = "left" | "right" | "top" | "bottom" | "middle" | "centre";
export type Direction = "across" | "down";

type Boxes = Readonly<Record<string, Box>>;

/** Each box moved so that its side lies where the outermost one's does; middle and centre are those of all. */
export function aligned(boxes: Boxes, side: Side): Record<string, Point> {
  const all = Object.values(boxes);
  const left = Math.min(...all.map(({ x }) => x));
  const right = Math.max(...all.map(({ x, width }) => x + width));
  const top = Math.min(...all.map(({ y }) => y));
  const bottom = Math.max(...all.map(({ y, height }) => y + height));
  const place = ({ x, y, width, height }: Box): Point => {
    switch (side) {
      case "left":
        return { x: left, y };
      case "right":
        return { x: right - width, y };
      case "centre":
        return { x: (left + right - width) / 2, y };
      case "top":
        return { x, y: top };
      case "bottom":
        return { x, y: bottom - height };
      case "middle":
        return { x, y: (top + bottom - height) / 2 };
    }
  };
  return Object.fromEntries(Object.entries(boxes).map(([id, box]) => [id, place(box)]));
}

/** The boxes between the two outermost ones, moved so that all gaps are equal. */
export function distributed(boxes: Boxes, direction: Direction): Record<string, Point> {
  const across = direction === "across";
  const start = (box: Box) => (across ? box.x : box.y);
  const size = (box: Box) => (across ? box.width : box.height);
  const order = Object.entries(boxes).sort(([, a], [, b]) => start(a) - start(b));
  const [first, last] = [order[0]?.[1], order.at(-1)?.[1]];
  if (!first || !last || order.length < 3) return {};
  const taken = order.reduce((sum, [, box]) => sum + size(box), 0);
  const gap = (start(last) + size(last) - start(first) - taken) / (order.length - 1);
  let at = start(first);
  return Object.fromEntries(
    order.map(([id, box]) => {
      const place = across ? { x: at, y: box.y } : { x: box.x, y: at };
      at += size(box) + gap;
      return [id, place];
    }),
  );
}
