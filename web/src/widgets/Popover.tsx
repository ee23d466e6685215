/** A card that floats by the element it belongs to, and goes when one clicks elsewhere. */

import {
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";

interface Props {
  anchor: RefObject<HTMLElement | null>;
  onClose(): void;
  children: ReactNode;
  className?: string;
  width?: number;
}

const MARGIN = 8; // pixels between the card, its anchor and the window's edge

export function Popover({ anchor, onClose, children, className = "", width }: Props) {
  const card = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);

  useLayoutEffect(() => {
    const by = anchor.current?.getBoundingClientRect();
    const own = card.current?.getBoundingClientRect();
    if (!by || !own) return;
    const below = by.bottom + 4;
    const fits = below + own.height + MARGIN <= window.innerHeight;
    const top = fits ? below : Math.max(MARGIN, by.top - own.height - 4);
    const left = Math.max(MARGIN, Math.min(by.left, window.innerWidth - own.width - MARGIN));
    setPlace({ left, top });
  }, [anchor]);

  useEffect(() => {
    const elsewhere = (event: Event) => {
      const inside = card.current?.contains(event.target as Node);
      if (!inside && !anchor.current?.contains(event.target as Node)) onClose();
    };
    window.addEventListener("pointerdown", elsewhere, true);
    window.addEventListener("wheel", elsewhere, { capture: true, passive: true });
    return () => {
      window.removeEventListener("pointerdown", elsewhere, true);
      window.removeEventListener("wheel", elsewhere, true);
    };
  }, [anchor, onClose]);

  // Measured first, unseen but not hidden: what is hidden cannot take the focus.
  const style = { ...(place ?? { left: 0, top: 0, opacity: 0 }), width };
  return createPortal(
    <div
      ref={card}
      className={`popover ${className}`}
      style={style}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
        anchor.current?.focus();
      }}
    >
      {children}
    </div>,
    document.body,
  );
}
