/** What keys do on a focused socket. */

import type { KeyboardEvent } from "react";
import { alongWire, besideSocket, goToNode } from "../canvas/travel";
import { announce } from "../store/announce";
import { activeWorkflow, edit } from "../store/documents";
import { type DragOrigin, ui } from "../store/ui";
import { disconnect } from "../workflow/edits";
import { wiresAt } from "../workflow/travel";
import { t } from "../i18n/t";

/** Remove the socket's only wire; of several one must be chosen. */
function removeWire({ node, socket, side }: DragOrigin): void {
  const wires = wiresAt(activeWorkflow(), node, socket, side);
  const [wire] = wires;
  if (!wire) return announce(t("There is no wire at this socket."));
  if (wires.length > 1) return ui({ socketCard: { node, socket, side } });
  edit((workflow) => disconnect(workflow, wire.node, wire.socket));
  announce(t("Removed the wire."));
}

export function socketKeys(event: KeyboardEvent, at: DragOrigin): void {
  const { node, socket, side } = at;
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!plain) return;
  const arrow = event.key.startsWith("Arrow");
  if (arrow && event.altKey) {
    if (!alongWire(node, socket, side)) announce(t("There is no wire at this socket."));
  } else if (event.altKey) return;
  else if (arrow) besideSocket(node, socket, side, event.key);
  else if (event.key === "Enter" || event.key === " ") ui({ socketCard: at });
  else if (event.key === "Delete" || event.key === "Backspace") removeWire(at);
  else if (event.key === "Escape") goToNode(node);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
