/** How the picture lies in the room: zoomed by wheel, buttons and two fingers, moved by dragging. */

import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Spot } from "../workflow/painting";
import { fitScale, heldIn, type Size, type Zoom, zoomed } from "../workflow/zoom";

const NOTHING: Size = { width: 0, height: 0 };
const MARGIN = 24; // pixels around the picture, both sides together
const LARGEST = 16; // screen pixels for one of a small picture that is seen whole

/** What painting does with the pointer; places are pixels of the picture. */
export interface Hand {
  down(at: Spot): void;
  move(at: Spot): void;
  up(): void;
  /** The pointer turned out to be one of two fingers that zoom. */
  cancel(): void;
}

export function usePaper(picture: Size | null) {
  const room = useRef<HTMLDivElement>(null);
  const [frame, setFrame] = useState<Size>(NOTHING);
  const [zoom, setZoom] = useState<Zoom | null>(null); // null: the whole picture
  const size = picture ?? NOTHING;
  const fit = fitScale(size, frame, LARGEST);
  const now = zoom ?? { scale: fit, x: 0, y: 0 };
  useLayoutEffect(() => {
    const element = room.current;
    if (!element) return;
    const measure = () =>
      setFrame({
        width: Math.max(1, element.clientWidth - MARGIN),
        height: Math.max(1, element.clientHeight - MARGIN),
      });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const change = (how: (zoom: Zoom) => Zoom) =>
    setZoom((known) => heldIn(how(known ?? { scale: fit, x: 0, y: 0 }), size, frame));
  const zoomAt = (by: number, { x, y }: Spot) => {
    const box = room.current?.getBoundingClientRect();
    if (!box) return;
    const at = { x: x - box.left - box.width / 2, y: y - box.top - box.height / 2 };
    change((known) => zoomed(known, by, at, fit));
  };
  useEffect(() => {
    const element = room.current;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      zoomAt(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  });
  return {
    room,
    zoom: now,
    zoomBy: (by: number) => change((known) => zoomed(known, by, { x: 0, y: 0 }, fit)),
    zoomAt,
    moveBy: (x: number, y: number) => change((at) => ({ ...at, x: at.x + x, y: at.y + y })),
    whole: () => setZoom(null),
    style: {
      width: size.width * now.scale,
      height: size.height * now.scale,
      transform: `translate(calc(-50% + ${now.x}px), calc(-50% + ${now.y}px))`,
    },
    /** The place under the pointer, in pixels of the picture. */
    spot: ({ clientX, clientY }: { clientX: number; clientY: number }): Spot => {
      const box = room.current?.getBoundingClientRect();
      if (!box) return { x: 0, y: 0 };
      return {
        x: (clientX - box.left - box.width / 2 - now.x) / now.scale + size.width / 2,
        y: (clientY - box.top - box.height / 2 - now.y) / now.scale + size.height / 2,
      };
    },
  };
}

type Paper = ReturnType<typeof usePaper>;

/** One pointer paints, or moves the paper where `moves`, or with the middle button; two zoom. */
export function usePointers(paper: Paper, hand: Hand, moves: boolean) {
  const fingers = useRef(new Map<number, Spot>());
  const doing = useRef<"paint" | "move" | null>(null);
  const lift = (event: PointerEvent) => {
    fingers.current.delete(event.pointerId);
    if (doing.current === "paint") hand.up();
    if (fingers.current.size === 0) doing.current = null;
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      if (event.button > 1) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.current.size > 1) {
        if (doing.current === "paint") hand.cancel();
        doing.current = "move";
      } else if (moves || event.button === 1) doing.current = "move";
      else {
        doing.current = "paint";
        hand.down(paper.spot(event));
      }
    },
    onPointerMove: (event: PointerEvent<HTMLDivElement>) => {
      const before = fingers.current.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY };
      fingers.current.set(event.pointerId, now);
      if (doing.current === "paint") return hand.move(paper.spot(event));
      const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
      if (!other) return paper.moveBy(now.x - before.x, now.y - before.y);
      const apart = (one: Spot) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      paper.zoomAt(apart(now) / apart(before), middle);
      paper.moveBy((now.x - before.x) / 2, (now.y - before.y) / 2);
    },
    onPointerUp: lift,
    onPointerCancel: lift,
  };
}
