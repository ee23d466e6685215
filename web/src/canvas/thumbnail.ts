/** A small picture of a workflow: its nodes as they lie, and the pictures in them that are on the page. */

import type { Workflow } from "../api/types";
import type { Size } from "../workflow/arrange";
import { wiresOf } from "../workflow/model";
import type { Box } from "../workflow/room";
import { boxOf, thing } from "../workflow/things";

export const THUMBNAIL: Size = { width: 320, height: 200 };
const MARGIN = 12; // pixels of the picture
const LARGEST = 0.5; // times the size of the canvas
const TITLE = 32; // pixels of a node's title on the canvas

/** The page's colours by their names. */
function colours(names: readonly string[]): Record<string, string> {
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = Object.fromEntries(
    names.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return found;
}

interface Scene {
  boxes: Map<string, Box>;
  scale: number;
  x: number;
  y: number;
}

function sceneOf(workflow: Workflow, sizeOf: (id: string) => Size): Scene | null {
  const boxes = new Map<string, Box>();
  const names = [
    ...workflow.groups.map(({ id }) => thing("group", id)),
    ...workflow.notes.map(({ id }) => thing("note", id)),
    ...Object.keys(workflow.nodes),
  ];
  for (const name of names) {
    const box = boxOf(workflow, name, sizeOf);
    if (box) boxes.set(name, box);
  }
  if (boxes.size === 0) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes.values()) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  const { width, height } = THUMBNAIL;
  const across = (width - 2 * MARGIN) / (right - left);
  const scale = Math.min(LARGEST, across, (height - 2 * MARGIN) / (bottom - top));
  const x = (width - (right - left) * scale) / 2 - left * scale;
  const y = (height - (bottom - top) * scale) / 2 - top * scale;
  return { boxes, scale, x, y };
}

/** The picture as a file, or null where there is nothing to draw or the browser cannot. */
export async function thumbnailOf(
  workflow: Workflow,
  sizeOf: (id: string) => Size,
): Promise<Blob | null> {
  const scene = sceneOf(workflow, sizeOf);
  const canvas = document.createElement("canvas");
  canvas.width = THUMBNAIL.width;
  canvas.height = THUMBNAIL.height;
  const context = canvas.getContext("2d");
  if (!scene || !context) return null;
  const colour = colours(["page", "node", "node-title", "line-strong", "wire", "accent-soft"]);
  context.fillStyle = colour.page ?? "";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scene.scale, 0, 0, scene.scale, scene.x, scene.y);
  context.lineWidth = 1.2 / scene.scale;
  for (const [name, box] of scene.boxes) {
    if (!name.startsWith("@")) continue;
    context.fillStyle = colour["accent-soft"] ?? "";
    context.fillRect(box.x, box.y, box.width, box.height);
  }
  context.strokeStyle = colour.wire ?? "";
  for (const { node, wire } of wiresOf(workflow)) {
    const [from, to] = [scene.boxes.get(wire.node), scene.boxes.get(node)];
    if (from && to) drawWire(context, from, to);
  }
  for (const [name, box] of scene.boxes)
    if (!name.startsWith("@")) drawNode(context, name, box, colour);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.8));
}

function drawWire(context: CanvasRenderingContext2D, from: Box, to: Box): void {
  const [x, y] = [from.x + from.width, from.y + 2 * TITLE];
  const middle = (x + to.x) / 2;
  context.beginPath();
  context.moveTo(x, y);
  context.bezierCurveTo(middle, y, middle, to.y + 2 * TITLE, to.x, to.y + 2 * TITLE);
  context.stroke();
}

function drawNode(
  context: CanvasRenderingContext2D,
  id: string,
  box: Box,
  colour: Record<string, string>,
): void {
  context.fillStyle = colour.node ?? "";
  context.strokeStyle = colour["line-strong"] ?? "";
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, 8);
  context.fill();
  context.stroke();
  context.fillStyle = colour["line-strong"] ?? "";
  context.fillRect(box.x + 12, box.y + 12, Math.min(box.width - 24, 120), 8);
  const picture = document.querySelector<HTMLImageElement>(
    `[data-node="${CSS.escape(id)}"] img.node-picture`,
  );
  if (!picture?.complete || picture.naturalWidth === 0) return;
  const room = { width: box.width - 16, height: box.height - TITLE - 16 };
  const fit = Math.min(room.width / picture.naturalWidth, room.height / picture.naturalHeight);
  const [width, height] = [picture.naturalWidth * fit, picture.naturalHeight * fit];
  context.drawImage(
    picture,
    box.x + (box.width - width) / 2,
    box.y + box.height - height - 8,
    width,
    height,
  );
}
