/** How a picture lies in its frame while it is zoomed and moved. */

export interface Zoom {
  /** Screen pixels for one pixel of the picture. */
  scale: number;
  /** Of the picture's middle from the frame's, in screen pixels. */
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

const LARGEST = 32; // screen pixels for one of the picture's
const LARGEST_FIT = 4; // a small picture is not blown up to a blur

/** The scale at which the whole picture is seen; at most `largest`. */
export function fitScale(picture: Size, frame: Size, largest = LARGEST_FIT): number {
  if (!picture.width || !picture.height) return 1;
  return Math.min(frame.width / picture.width, frame.height / picture.height, largest);
}

/** `by` times as large, with what lies at `at` (from the frame's middle) staying where it is. */
export function zoomed(zoom: Zoom, by: number, at: { x: number; y: number }, fit: number): Zoom {
  const scale = Math.min(LARGEST, Math.max(Math.min(fit, 1) / 2, zoom.scale * by));
  const grown = scale / zoom.scale;
  return { scale, x: at.x - (at.x - zoom.x) * grown, y: at.y - (at.y - zoom.y) * grown };
}

/** The zoom with the picture held in view: a side longer than the frame leaves no gap beside it. */
export function heldIn(zoom: Zoom, picture: Size, frame: Size): Zoom {
  const room = (long: number, frameLong: number) =>
    Math.max(0, (long * zoom.scale - frameLong) / 2);
  const held = (value: number, most: number) => Math.min(most, Math.max(-most, value));
  return {
    scale: zoom.scale,
    x: held(zoom.x, room(picture.width, frame.width)),
    y: held(zoom.y, room(picture.height, frame.height)),
  };
}
