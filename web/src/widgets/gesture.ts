/** One token per burst of changes, so that undo takes back a gesture and not a keystroke. */

import { useRef } from "react";
import { newGesture } from "../store/documents";

const PAUSE = 1200; // milliseconds without a change after which typing counts as a new gesture

export interface Gesture {
  /** Begin a new gesture (a press of the pointer, a field that is entered). */
  begin(): void;
  /** The token of the gesture that goes on. */
  token(): string;
}

export function useGesture(): Gesture {
  const state = useRef({ token: "", last: 0 });
  return {
    begin: () => {
      state.current = { token: newGesture(), last: Date.now() };
    },
    token: () => {
      const now = Date.now();
      const over = !state.current.token || now - state.current.last > PAUSE;
      state.current = { token: over ? newGesture() : state.current.token, last: now };
      return state.current.token;
    },
  };
}
