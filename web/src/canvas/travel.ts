/** Go to nodes, dots and sockets by keyboard: chosen, brought into sight, and with the focus on them. */

import { activeWorkflow } from "../store/documents";
import { sizeOf, useView } from "../store/view";
import { nextThing } from "../workflow/dotTravel";
import { boxOf, isNode } from "../workflow/things";
import { type Direction, wiresAt } from "../workflow/travel";
import { bring } from "./instance";

const TRIES = 30; // frames in which a node that was far away becomes an element

/** Focus the element as soon as it is there. */
function focusSoon(selector: string, tries = TRIES): void {
  const found = document.querySelector<HTMLElement>(selector);
  if (found) found.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusSoon(selector, tries - 1));
}

/** To a node, or to another thing that lies on the canvas. */
export function goToNode(id: string): void {
  const box = boxOf(activeWorkflow(), id, sizeOf);
  if (!box) return;
  useView.getState().select([id]);
  if (!isNode(id) || activeWorkflow().layout.nodes[id]) bring(box);
  focusSoon(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
}

/** The node or dot that has the focus, or the only thing that is chosen. */
function currentThing(): string | null {
  const focused = document.activeElement?.closest("[data-id]")?.getAttribute("data-id");
  if (focused && boxOf(activeWorkflow(), focused, sizeOf)) return focused;
  const { selected } = useView.getState();
  return selected.size === 1 ? ([...selected][0] ?? null) : null;
}

/** The node that has the focus, or the only one that is chosen. */
export function currentNode(): string | null {
  const found = currentThing();
  return found !== null && isNode(found) ? found : null;
}

/** Go along a wire from node to dot to node, or to what is beside; from nowhere, to the first node. */
export function travel(direction: Direction): boolean {
  const { nodes } = activeWorkflow();
  const from = currentThing();
  const to = from ? nextThing(activeWorkflow(), from, direction) : Object.keys(nodes)[0];
  if (to) goToNode(to);
  return Object.keys(nodes).length > 0;
}

export function socketElement(
  node: string,
  socket: string,
  side: "in" | "out",
): HTMLElement | null {
  return document.querySelector(`[data-socket="${CSS.escape(`${node}:${socket}:${side}`)}"]`);
}

export function focusSocket(node: string, socket: string, side: "in" | "out"): void {
  useView.getState().select([node]);
  const place = activeWorkflow().layout.nodes[node];
  if (place) bring({ x: place.x, y: place.y, ...sizeOf(node) });
  focusSoon(`[data-socket="${CSS.escape(`${node}:${socket}:${side}`)}"]`);
}

/** The sockets of a node that can be focused, in their order from top to bottom. */
function socketsOf(node: string, side: "in" | "out"): HTMLElement[] {
  const around = document.querySelector(`[data-node="${CSS.escape(node)}"]`);
  const all = around?.querySelectorAll<HTMLElement>("[data-socket]") ?? [];
  return [...all].filter((socket) => socket.dataset.socket?.endsWith(`:${side}`));
}

/** Into the sockets of the current node: its first input, else its first output. */
export function enterSockets(): boolean {
  const node = currentNode();
  if (!node) return false;
  goToNode(node);
  const first = socketsOf(node, "in")[0] ?? socketsOf(node, "out")[0];
  first?.focus({ preventScroll: true });
  return true;
}

/** From socket to socket of a node. */
export function besideSocket(node: string, name: string, side: "in" | "out", key: string): void {
  const here = socketsOf(node, side);
  const at = here.findIndex((socket) => socket.dataset.socket === `${node}:${name}:${side}`);
  if (key === "ArrowDown" || key === "ArrowUp") {
    here[at + (key === "ArrowDown" ? 1 : -1)]?.focus({ preventScroll: true });
    return;
  }
  const other = key === "ArrowRight" ? "out" : "in";
  if (other === side) return;
  const there = socketsOf(node, other);
  there[Math.min(at, there.length - 1)]?.focus({ preventScroll: true });
}

/** To the other end of the socket's wire; false where it has none. */
export function alongWire(node: string, name: string, side: "in" | "out"): boolean {
  const found = wiresAt(activeWorkflow(), node, name, side)[0];
  if (!found) return false;
  if (side === "in") focusSocket(found.wire.node, found.wire.output, "out");
  else focusSocket(found.node, found.socket, "in");
  return true;
}
