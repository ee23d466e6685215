/** Connecting by taps: a socket is tapped, then the other end. */

import { create } from "zustand";
import type { DragOrigin } from "./ui";

export const useTapping = create<{ from: DragOrigin | null }>()(() => ({ from: null }));
