/** Whether the canvas is so far away that it is painted as a picture, and which nodes are real in it. */

import { create } from "zustand";

interface Overview {
  on: boolean;
  /** The node under the pointer: it is there as an element, so that a hand can take it. */
  hovered: string | null;
  /** While the picture gives way to elements: the nodes that are elements already, with their wires. */
  near: ReadonlySet<string>;
}

export const NONE_NEAR: ReadonlySet<string> = new Set();

export const useOverview = create<Overview>()(() => ({
  on: false,
  hovered: null,
  near: NONE_NEAR,
}));
