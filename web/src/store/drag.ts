/** The wire that is being dragged: where it began, and which sockets may take it. */

import { create } from "zustand";
import { ApiError } from "../api/client";
import type { Target, TargetsAnswer } from "../api/types";
import { targetsAtLevel } from "./targets";
import type { DragOrigin } from "./ui";

interface Drag {
  from: DragOrigin | null;
  /** Answers by "node:socket"; null until the server has answered. */
  targets: Record<string, Target> | null;
}

export const useDrag = create<Drag>()(() => ({ from: null, targets: null }));

let asked: Promise<TargetsAnswer | null> = Promise.resolve(null);

/** Where may this wire go? Null where the server cannot tell. */
async function ask(from: DragOrigin): Promise<TargetsAnswer | null> {
  const socket = from.side === "out" ? { output: from.socket } : { input: from.socket };
  try {
    return await targetsAtLevel(from, socket);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

export function beginDrag(from: DragOrigin): void {
  useDrag.setState({ from, targets: null });
  const mine = ask(from);
  asked = mine;
  void mine.then((answer) => {
    if (asked !== mine || !answer || !useDrag.getState().from) return;
    const targets = Object.fromEntries(answer.targets.map((t) => [`${t.node}:${t.socket}`, t]));
    useDrag.setState({ targets });
  });
}

export function endDrag(): void {
  useDrag.setState({ from: null, targets: null });
}

/** The answer for the drag that was begun last. */
export const lastAnswer = (): Promise<TargetsAnswer | null> => asked;

export type Fit = "idle" | "fits" | "refused" | "origin";

/** How a socket stands to the dragged wire; what the server did not name cannot take it. */
export function fitOf(state: Drag, node: string, socket: string, side: "in" | "out"): Fit {
  const { from, targets } = state;
  if (!from) return "idle";
  if (from.node === node && from.socket === socket && from.side === side) return "origin";
  if (from.side === side) return "refused";
  if (!targets) return "idle";
  return targets[`${node}:${socket}`]?.ok ? "fits" : "refused";
}
