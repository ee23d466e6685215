/** What painting a mask needs beside a canvas: dabs along a stroke, and an undo that is bounded. */

export interface Spot {
  x: number;
  y: number;
}

export interface Piece {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The middles of the dabs from one place to the next, the first left out: it was set before. */
export function dabs(from: Spot, to: Spot, apart: number): Spot[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const count = Math.max(1, Math.ceil(length / Math.max(0.5, apart)));
  return Array.from({ length: count }, (_, index) => {
    const share = (index + 1) / count;
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
  });
}

/** The rectangle between two corners, whole pixels, inside of the picture; null where it is nothing. */
export function pieceOf(one: Spot, other: Spot, width: number, height: number): Piece | null {
  const inside = (value: number, most: number) => Math.round(Math.min(most, Math.max(0, value)));
  const left = inside(Math.min(one.x, other.x), width);
  const right = inside(Math.max(one.x, other.x), width);
  const top = inside(Math.min(one.y, other.y), height);
  const bottom = inside(Math.max(one.y, other.y), height);
  if (right - left < 1 || bottom - top < 1) return null;
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Masks of before and after, newest last. One that would take too many bytes drops the oldest. */
export class MaskHistory {
  private before: Uint8Array[] = [];
  private after: Uint8Array[] = [];

  constructor(private readonly bytes = 96 * 2 ** 20) {}

  get canUndo(): boolean {
    return this.before.length > 0;
  }

  get canRedo(): boolean {
    return this.after.length > 0;
  }

  /** Remember the mask as it is, before it is changed. */
  keep(mask: Uint8Array): void {
    this.before.push(mask);
    this.after = [];
    const most = Math.max(1, Math.floor(this.bytes / Math.max(1, mask.length)));
    if (this.before.length > most) this.before.splice(0, this.before.length - most);
  }

  /** The mask before the change that was begun last, which is as if it had never been. */
  drop(): Uint8Array | null {
    return this.before.pop() ?? null;
  }

  undo(now: Uint8Array): Uint8Array | null {
    const last = this.before.pop();
    if (!last) return null;
    this.after.push(now);
    return last;
  }

  redo(now: Uint8Array): Uint8Array | null {
    const next = this.after.pop();
    if (!next) return null;
    this.before.push(now);
    return next;
  }
}

/** How much of a mask is painted, 0 to 1. */
export function coverage(mask: Uint8Array): number {
  let sum = 0;
  for (const value of mask) sum += value;
  return mask.length ? sum / (255 * mask.length) : 0;
}

const BOXES = 3; // means one after the other are nearly a Gaussian (Wells 1986)

/**
 * The mask with its edge fading over about `radius` pixels to each side; `width` is a row's length.
 * Beyond the picture's border the mask goes on as it is at it.
 */
export function feathered(mask: Uint8Array, width: number, radius: number): Uint8Array {
  const height = width ? mask.length / width : 0;
  const half = Math.max(1, Math.round(radius / BOXES)); // the boxes together reach `radius` far
  let now = Float32Array.from(mask);
  let next = new Float32Array(mask.length);
  for (let round = 0; round < BOXES; round++) {
    for (let row = 0; row < height; row++) averaged(now, next, row * width, 1, width, half);
    [now, next] = [next, now];
    for (let column = 0; column < width; column++)
      averaged(now, next, column, width, height, half);
    [now, next] = [next, now];
  }
  return Uint8Array.from(now, (value) => Math.round(value));
}

/** Write the mean of the `half` pixels on both sides of each pixel of one row or column. */
function averaged(
  from: Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  count: number,
  half: number,
): void {
  const at = (index: number) =>
    from[start + step * Math.min(count - 1, Math.max(0, index))] ?? 0;
  let sum = 0;
  for (let index = -half; index <= half; index++) sum += at(index);
  for (let index = 0; index < count; index++) {
    to[start + step * index] = sum / (2 * half + 1);
    sum += at(index + half + 1) - at(index - half);
  }
}
