/** The mask on its canvas: alpha is how much of a pixel shall be made anew. */

import { useCallback, useRef, useState } from "react";
import { coverage, dabs, feathered, MaskHistory, type Spot } from "../workflow/painting";

export interface Brush {
  /** Pixels of the picture across. */
  size: number;
  /** 0: a hard edge; 1: it fades from the middle on. */
  softness: number;
  erases: boolean;
}

const PAINT = "255, 60, 90"; // a red that few pictures hold

export function useMask() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const history = useRef(new MaskHistory());
  const last = useRef<Spot | null>(null);
  const [covered, setCovered] = useState(0);
  const [, redraw] = useState(0);

  const context = () => canvas.current?.getContext("2d", { willReadFrequently: true }) ?? null;
  const alpha = useCallback((): Uint8Array => {
    const { width = 0, height = 0 } = canvas.current ?? {};
    const data = width && height ? context()?.getImageData(0, 0, width, height).data : undefined;
    const mask = new Uint8Array(width * height);
    if (data) for (let at = 0; at < mask.length; at++) mask[at] = data[4 * at + 3] ?? 0;
    return mask;
  }, []);
  const put = useCallback((mask: Uint8Array) => {
    const { width = 0, height = 0 } = canvas.current ?? {};
    const [red, green, blue] = PAINT.split(", ").map(Number);
    const image = new ImageData(width, height);
    for (let at = 0; at < mask.length; at++)
      image.data.set([red ?? 0, green ?? 0, blue ?? 0, mask[at] ?? 0], 4 * at);
    context()?.putImageData(image, 0, 0);
    setCovered(coverage(mask));
  }, []);
  const change = (next: (mask: Uint8Array) => Uint8Array) => {
    const now = alpha();
    history.current.keep(now);
    put(next(now));
  };
  const back = (which: "undo" | "redo") => {
    const mask = history.current[which](alpha());
    if (mask) put(mask);
    redraw((count) => count + 1);
  };
  const dab = ({ x, y }: Spot, { size, softness, erases }: Brush) => {
    const pen = context();
    if (!pen) return;
    const radius = Math.max(0.5, size / 2);
    const fill = pen.createRadialGradient(x, y, radius * (1 - softness), x, y, radius);
    fill.addColorStop(0, `rgba(${PAINT}, 1)`);
    fill.addColorStop(1, `rgba(${PAINT}, ${softness > 0 ? 0 : 1})`);
    pen.globalCompositeOperation = erases ? "destination-out" : "source-over";
    pen.fillStyle = fill;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  };
  return {
    canvas,
    covered,
    canUndo: history.current.canUndo,
    canRedo: history.current.canRedo,
    undo: () => back("undo"),
    redo: () => back("redo"),
    load: put,
    invert: () => change((mask) => mask.map((value) => 255 - value)),
    clear: () => change((mask) => new Uint8Array(mask.length)),
    feather: (radius: number) =>
      change((mask) => feathered(mask, canvas.current?.width ?? 0, radius)),
    begin(at: Spot, brush: Brush) {
      history.current.keep(alpha());
      last.current = at;
      dab(at, brush);
    },
    move(at: Spot, brush: Brush) {
      if (!last.current) return;
      for (const spot of dabs(last.current, at, brush.size / 8)) dab(spot, brush);
      last.current = at;
    },
    end() {
      if (!last.current) return;
      last.current = null;
      setCovered(coverage(alpha()));
    },
    /** The stroke that was begun is none. */
    cancel() {
      last.current = null;
      const mask = history.current.drop();
      if (mask) put(mask);
    },
    /** The mask as a grey PNG: white is made anew. */
    async picture(): Promise<Blob> {
      const { width = 1, height = 1 } = canvas.current ?? {};
      const grey = new ImageData(width, height);
      alpha().forEach((value, at) => grey.data.set([value, value, value, 255], 4 * at));
      const paper = document.createElement("canvas");
      paper.width = width;
      paper.height = height;
      paper.getContext("2d")?.putImageData(grey, 0, 0);
      return new Promise((resolve, reject) =>
        paper.toBlob(
          (blob) => (blob ? resolve(blob) : reject(new Error("No picture."))),
          "image/png",
        ),
      );
    },
  };
}
