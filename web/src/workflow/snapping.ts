/** Catching a dragged box on the edges and middles of others. */

import type { Box } from "./room";

export interface Guides {
  /** Where a line is drawn through what was caught; null where nothing was. */
  x: number | null;
  y: number | null;
}

export interface Caught extends Guides {
  /** How far the box moves to be there. */
  dx: number;
  dy: number;
}

interface Catch {
  by: number;
  at: number;
}

/** The three lines of a box along one axis: start, middle, end. */
function lines(start: number, size: number): [number, number, number] {
  return [start, start + size / 2, start + size];
}

/** The nearest line of the others that a line of the box can lie on; starts catch starts, middles middles. */
function nearest(
  own: readonly number[],
  others: readonly (readonly number[])[],
  reach: number,
): Catch | null {
  let best: Catch | null = null;
  for (const other of others) {
    own.forEach((line, index) => {
      other.forEach((at, kind) => {
        if ((index === 1) !== (kind === 1)) return;
        const by = at - line;
        if (Math.abs(by) <= reach && (!best || Math.abs(by) < Math.abs(best.by))) best = { by, at };
      });
    });
  }
  return best;
}

/** Where a box catches on others that lie within `reach` pixels of one of its lines. */
export function catchOn(box: Box, others: readonly Box[], reach: number): Caught {
  const x = nearest(
    lines(box.x, box.width),
    others.map((other) => lines(other.x, other.width)),
    reach,
  );
  const y = nearest(
    lines(box.y, box.height),
    others.map((other) => lines(other.y, other.height)),
    reach,
  );
  return { dx: x?.by ?? 0, dy: y?.by ?? 0, x: x?.at ?? null, y: y?.at ?? null };
}
