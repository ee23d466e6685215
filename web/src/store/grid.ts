/** The grid of a batch: which run is at which place of its axes, followed while it runs. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { BatchGrid } from "../api/queue";
import { notify } from "./ui";

export type Cell = BatchGrid["cells"][number];

interface Grid {
  grid: BatchGrid | null;
}

export const useGrid = create<Grid>()(() => ({ grid: null }));

let looking = "";
let again = false;

/** Look at a batch's runs. While an answer is on its way, many questions are one. */
export async function lookAtGrid(id: string): Promise<void> {
  again = looking === id;
  if (again) return;
  looking = id;
  try {
    const grid = await api.batch(id);
    if (looking === id) useGrid.setState({ grid });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify("error", error.message);
  } finally {
    looking = "";
  }
  if (again) await lookAtGrid(id);
}

/** The cells of one sheet of a grid, by row and column; `sheet` are the places on further axes. */
export function sheetOf({ axes, cells }: BatchGrid, sheet: readonly number[]): (Cell | null)[][] {
  const columns = axes[0]?.labels.length ?? 0;
  const rows = axes[1]?.labels.length ?? 1;
  const table: (Cell | null)[][] = Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => null),
  );
  for (const entry of cells) {
    const [column = 0, row = 0, ...rest] = entry.cell;
    if (rest.some((place, axis) => place !== (sheet[axis] ?? 0))) continue;
    const line = table[row];
    if (line && column < columns) line[column] = entry;
  }
  return table;
}
