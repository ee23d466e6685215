/** The large picture: zoomed by wheel, keys and two fingers, moved by dragging; or two with a slider. */

import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { fitScale, heldIn, type Size, type Zoom, zoomed } from "../workflow/zoom";
import { t } from "../i18n/t";

interface Props {
  url: string;
  title: string;
  /** The one that it is compared with: it lies to the right of the slider. */
  other: { url: string; title: string } | null;
  onClose(): void;
  /** The picture's size once it is loaded. */
  onSize(size: Size): void;
}

const NOTHING: Size = { width: 0, height: 0 };

function useFrame() {
  const ref = useRef<HTMLDivElement>(null);
  const [frame, setFrame] = useState<Size>(NOTHING);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () =>
      setFrame({ width: element.clientWidth - 32, height: element.clientHeight - 32 });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, frame };
}

interface Press {
  x: number;
  y: number;
}

/** Drag to move, two fingers to zoom; a press on nothing that did not move closes. */
function useFingers(
  change: (how: (zoom: Zoom) => Zoom) => void,
  pinch: PinchTo,
  close: () => void,
) {
  const fingers = useRef(new Map<number, Press>());
  const moved = useRef(false);
  return {
    onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
      if (event.button !== 0 || (event.target as Element).closest("input")) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      if (fingers.current.size === 0) moved.current = false;
      fingers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent<HTMLDivElement>) => {
      const before = fingers.current.get(event.pointerId);
      if (!before) return;
      const now = { x: event.clientX, y: event.clientY };
      if (Math.abs(now.x - before.x) + Math.abs(now.y - before.y) < 2 && !moved.current) return;
      moved.current = true;
      const [other] = [...fingers.current].flatMap(([id, at]) =>
        id === event.pointerId ? [] : [at],
      );
      fingers.current.set(event.pointerId, now);
      if (!other)
        return change((z) => ({ ...z, x: z.x + now.x - before.x, y: z.y + now.y - before.y }));
      const apart = (one: Press) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
      pinch(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    },
    onPointerUp: (event: PointerEvent<HTMLDivElement>) => {
      const pressed = fingers.current.delete(event.pointerId);
      if (pressed && !moved.current && event.target === event.currentTarget) close();
    },
    onPointerCancel: (event: PointerEvent<HTMLDivElement>) =>
      void fingers.current.delete(event.pointerId),
  };
}

type PinchTo = (by: number, at: { x: number; y: number }) => void;

export function ViewerStage({ url, title, other, onClose, onSize }: Props) {
  const { ref, frame } = useFrame();
  const [size, setSize] = useState<Size>(NOTHING);
  const [zoom, setZoom] = useState<Zoom | null>(null); // null: the whole picture
  const [split, setSplit] = useState(50);
  const fit = fitScale(size, frame);
  const now = zoom ?? { scale: fit, x: 0, y: 0 };
  const change = (how: (zoom: Zoom) => Zoom) =>
    setZoom((known) => heldIn(how(known ?? { scale: fit, x: 0, y: 0 }), size, frame));
  const zoomAt: PinchTo = (by, { x, y }) => {
    const box = ref.current?.getBoundingClientRect();
    if (!box) return;
    const at = { x: x - box.left - box.width / 2, y: y - box.top - box.height / 2 };
    change((known) => zoomed(known, by, at, fit));
  };
  const fingers = useFingers(change, zoomAt, onClose);
  useEffect(() => setZoom(null), [url]);
  useEffect(() => {
    const stage = ref.current;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      zoomAt(Math.exp(-event.deltaY / 400), { x: event.clientX, y: event.clientY });
    };
    const keys = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const by = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
      const middle = { x: 0, y: 0 };
      if (by) change((known) => zoomed(known, by, middle, fit));
      else if (event.key === "0") setZoom(null);
      else if (event.key === "1") change(() => ({ scale: 1, x: 0, y: 0 }));
      else return;
      event.preventDefault();
    };
    stage?.addEventListener("wheel", wheel, { passive: false });
    window.addEventListener("keydown", keys);
    return () => {
      stage?.removeEventListener("wheel", wheel);
      window.removeEventListener("keydown", keys);
    };
  });
  const box = {
    width: size.width * now.scale,
    height: size.height * now.scale,
    transform: `translate(calc(-50% + ${now.x}px), calc(-50% + ${now.y}px))`,
  };
  const sharp = now.scale >= 6 || undefined; // so near, one wants to see pixels
  return (
    <div
      ref={ref}
      className="viewer-stage"
      data-test="viewer-stage"
      data-zoom={Math.round(now.scale * 100)}
      {...fingers}
      onDoubleClick={(event) =>
        zoom ? setZoom(null) : zoomAt(Math.max(2, 1 / fit), { x: event.clientX, y: event.clientY })
      }
    >
      <div className="viewer-picture" style={box} data-sharp={sharp}>
        <img
          src={url}
          alt={title}
          draggable={false}
          onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => {
            setSize({ width, height });
            onSize({ width, height });
          }}
        />
        {other && (
          <img
            src={other.url}
            alt={other.title}
            draggable={false}
            data-test="viewer-other"
            data-fitted
            style={{ clipPath: `inset(0 0 0 ${split}%)` }}
          />
        )}
        {other && <CompareHandle split={split} onSplit={setSplit} />}
      </div>
    </div>
  );
}

/** The line between two pictures that lie upon each other; a slider for the keyboard and readers. */
export function CompareHandle({ split, onSplit }: { split: number; onSplit(to: number): void }) {
  return (
    <>
      <span className="compare-line" style={{ left: `${split}%` }} />
      <input
        className="compare-slider"
        type="range"
        min={0}
        max={100}
        step={0.5}
        value={split}
        aria-label={t("How much of the first picture is seen")}
        data-test="compare"
        onKeyDown={(event) => event.key.startsWith("Arrow") && event.stopPropagation()}
        onChange={(event) => onSplit(Number(event.target.value))}
      />
    </>
  );
}
