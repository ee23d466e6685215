/** Whether the canvas is so far away that it is painted as a picture, and which nodes are real in it. */

import { create } from "zustand";

interface Overview {
  on: boolean;
  /** The node under the pointer: it is there as an element, so that a hand can take it. */
  hovered: string | null;
}

export const useOverview = create<Overview>()(() => ({ on: false, hovered: null }));
