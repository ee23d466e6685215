/** The page's keys, clipboard and dropped files, taken to the commands. */

import { openFile } from "../store/files";
import { ui, useUi } from "../store/ui";
import { onCopy, onCut, onPaste, trackKeys, trackPointer } from "./clipboard";
import { matches } from "./keys";
import { COMMANDS } from "./list";

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("input, textarea, select, [contenteditable]");
}

/** Something lies over the canvas that has keys of its own. */
function isCovered(): boolean {
  const { dialog, palette, viewer, help, sheet, nodeMenu, contextMenu, socketCard } =
    useUi.getState();
  return Boolean(
    dialog || palette || viewer || help || sheet || nodeMenu || contextMenu || socketCard,
  );
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const typing = isTyping(event.target);
  const found = COMMANDS.find((c) => !c.native && c.keys?.some((keys) => matches(keys, event)));
  if (!found || (typing && !found.whileTyping)) return;
  if (isCovered() && found.id !== "escape" && found.id !== "help") return;
  if (found.run() !== false) event.preventDefault();
}

/** The canvas would move a focused thing at any arrow by itself: our commands come before it. */
function onArrow(event: KeyboardEvent): void {
  const things = ".react-flow__node, .react-flow__nodesselection-rect";
  const on = event.target instanceof Element && event.target.matches(things);
  if (!on || !event.key.startsWith("Arrow")) return;
  event.stopPropagation();
  onKeyDown(event);
}

const isFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

/** Begin to listen; the answer ends it. */
export function listenToPage(): () => void {
  const stop = new AbortController();
  const on = { signal: stop.signal };
  const unlessTyping = (handler: (event: ClipboardEvent) => void) => (event: ClipboardEvent) => {
    if (!isTyping(event.target) && !isCovered()) handler(event);
  };
  let depth = 0;
  const over = (change: number) => (event: DragEvent) => {
    if (!isFile(event)) return;
    depth = Math.max(0, depth + change);
    ui({ dropping: depth > 0 });
  };
  window.addEventListener("keydown", onKeyDown, on);
  window.addEventListener("keydown", onArrow, { ...on, capture: true });
  window.addEventListener("keydown", trackKeys, { ...on, capture: true });
  window.addEventListener("pointermove", trackPointer, { ...on, passive: true });
  document.addEventListener("copy", unlessTyping(onCopy), on);
  document.addEventListener("cut", unlessTyping(onCut), on);
  document.addEventListener("paste", unlessTyping(onPaste), on);
  window.addEventListener("dragenter", over(1), on);
  window.addEventListener("dragleave", over(-1), on);
  window.addEventListener("dragover", (event) => isFile(event) && event.preventDefault(), on);
  const rest = () => {
    depth = 0;
    ui({ dropping: false });
  };
  window.addEventListener("drop", rest, { ...on, capture: true }); // a field that takes the file stops the event
  window.addEventListener(
    "drop",
    (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file || event.defaultPrevented) return;
      event.preventDefault();
      void openFile(file);
    },
    on,
  );
  return () => stop.abort();
}
