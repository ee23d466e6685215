/** Which of many equally large tiles are in view, and how large their pictures have to be. */

export interface Tiles {
  columns: number;
  /** Of a tile's side, in pixels. */
  side: number;
  /** Of all rows, in pixels. */
  height: number;
  /** The first tile in view, and the one behind the last. */
  from: number;
  to: number;
}

const AROUND = 2; // rows that are drawn above and below what is seen
const SIZES = [128, 192, 256, 384, 512, 768, 1024]; // pixels; few, so that few are made and kept

interface View {
  /** Pixels inside of the list, and how far it is scrolled. */
  width: number;
  height: number;
  scrolled: number;
}

/** Tiles of about `wanted` pixels, `gap` apart; there are at least two columns. */
export function tilesIn(view: View, count: number, wanted: number, gap: number): Tiles {
  const columns = Math.max(2, Math.floor((view.width + gap) / (wanted + gap)));
  const side = Math.max(1, (view.width - gap * (columns - 1)) / columns);
  const row = side + gap;
  const rows = Math.ceil(count / columns);
  const first = Math.max(0, Math.floor(view.scrolled / row) - AROUND);
  const last = Math.min(rows, Math.ceil((view.scrolled + view.height) / row) + AROUND);
  return {
    columns,
    side,
    height: Math.max(0, rows * row - gap),
    from: first * columns,
    to: Math.min(count, last * columns),
  };
}

/** A thumbnail's address for a tile of `side` CSS pixels on this screen. */
export function thumbnailFor(url: string, side: number, ratio: number): string {
  const pixels = side * ratio;
  const size = SIZES.find((one) => one >= pixels) ?? SIZES.at(-1);
  return `${url.split("?")[0]}?thumbnail=${size}`;
}

/** The tile that a key leads to from `at`, or null where the key leads nowhere. */
export function tileAfter(key: string, at: number, count: number, columns: number): number | null {
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: columns * 4,
    PageUp: -columns * 4,
  };
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const step = steps[key];
  return step === undefined ? null : Math.max(0, Math.min(count - 1, at + step));
}
