/** What is chosen and how large nodes are: the part of the canvas that is no part of the workflow. */

import { create } from "zustand";
import type { Size } from "../workflow/arrange";
import type { Point } from "../workflow/edits";
import { activeDocument, levelKey, useDocuments } from "./documents";

interface View {
  selected: ReadonlySet<string>;
  /** Chosen wires, by the id of the flow's edge ("node:socket"). */
  selectedWires: ReadonlySet<string>;
  measured: Readonly<Record<string, Size>>;
  select(nodes: Iterable<string>, wires?: Iterable<string>): void;
}

export interface Viewport extends Point {
  zoom: number;
}

/** Where each document was looked at last. No part of the store: nothing is drawn from it. */
export const viewports = new Map<string, Viewport>();

const NONE: ReadonlySet<string> = new Set();

export const useView = create<View>()((set) => ({
  selected: NONE,
  selectedWires: NONE,
  measured: {},
  select: (nodes, wires = []) => set({ selected: new Set(nodes), selectedWires: new Set(wires) }),
}));

// Another document has other nodes, though perhaps of the same ids.
useDocuments.subscribe((state, before) => {
  const [now, then] = [activeDocument(state), activeDocument(before)];
  if (now !== then && levelKey(now) !== levelKey(then)) {
    useView.setState({ selected: NONE, selectedWires: NONE, measured: {} });
  }
});

const USUAL: Size = { width: 280, height: 240 };

export function sizeOf(id: string): Size {
  return useView.getState().measured[id] ?? USUAL;
}
