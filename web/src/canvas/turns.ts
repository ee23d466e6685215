/** What many nodes change at the same time is changed a few a frame, so that no frame waits for all of them. */

import { flushSync } from "react-dom";

const BUDGET = 8; // milliseconds of a frame

const waiting = new Set<() => void>();
let asked = 0;

function run(): void {
  asked = 0;
  const until = performance.now() + BUDGET;
  for (const change of waiting) {
    waiting.delete(change);
    flushSync(change); // at once, so that its time is known
    if (performance.now() > until) break;
  }
  if (waiting.size) asked = requestAnimationFrame(run);
}

/** Make the change in one of the next frames; the answer takes it back. */
export function inTurn(change: () => void): () => void {
  waiting.add(change);
  asked ||= requestAnimationFrame(run);
  return () => waiting.delete(change);
}
