/** A number that is dragged, typed, or computed; with limits on both sides it shows how full it is. */

import { type PointerEvent, useRef, useState } from "react";
import { evaluate } from "../workflow/arithmetic";
import { useGesture } from "./gesture";
import { clamped, limitsOf, tidy, widgetKind } from "./kinds";
import type { WidgetProps } from "./props";

const PIXELS_PER_STEP = 6;
const SLACK = 3; // pixels that a click may wander before it is a drag

interface Press {
  x: number;
  value: number;
  dragged: boolean;
}

export function NumberField({ widget, value, onChange }: WidgetProps) {
  const { schema } = widget;
  const limits = limitsOf(schema);
  const slider = widgetKind(widget) === "slider";
  const [typed, setTyped] = useState<string | null>(null);
  const press = useRef<Press | null>(null);
  const back = useRef(false); // a key ended the typing: the focus returns to the number
  const gesture = useGesture();
  const number = typeof value === "number" ? value : Number(value ?? limits.low ?? 0);

  const put = (next: number) => onChange(clamped(tidy(next), schema), gesture.token());
  const commit = () => {
    const next = typed === null ? null : evaluate(typed);
    if (next !== null && next !== number) put(next);
    setTyped(null);
  };
  const down = (event: PointerEvent<HTMLDivElement>) => {
    if (typed !== null || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    press.current = { x: event.clientX, value: number, dragged: false };
    gesture.begin();
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    const held = press.current;
    if (!held) return;
    const across = event.clientX - held.x;
    if (!held.dragged && Math.abs(across) < SLACK) return;
    held.dragged = true;
    const fine = event.shiftKey ? 0.1 : 1;
    const box = event.currentTarget.getBoundingClientRect();
    const span = (limits.high ?? 0) - (limits.low ?? 0);
    const change = slider
      ? (across / box.width) * span * fine
      : Math.round((across / PIXELS_PER_STEP) * fine) * limits.step;
    const next = tidy(held.value + change);
    put(slider ? tidy(Math.round(next / limits.step) * limits.step) : next);
  };
  const up = () => {
    if (press.current && !press.current.dragged) setTyped(shown(number));
    press.current = null;
  };
  const keys = (event: React.KeyboardEvent) => {
    const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (steps !== undefined) {
      event.preventDefault();
      setTyped(null);
      put(number + steps * limits.step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      back.current = typed !== null;
      if (typed === null) setTyped(shown(number));
      else commit();
    } else if (typed === null && /^[\d.\-(]$/.test(event.key) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      setTyped(event.key);
    }
  };

  const full = slider
    ? ((number - (limits.low ?? 0)) / ((limits.high ?? 1) - (limits.low ?? 0))) * 100
    : 0;
  if (typed !== null) {
    return (
      <input
        className="field field-number nodrag"
        autoFocus
        value={typed}
        aria-label={widget.title}
        data-widget={widget.name}
        inputMode="decimal"
        onFocus={(event) => typed === shown(number) && event.target.select()}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return keys(event);
          event.stopPropagation();
          back.current = true;
          setTyped(null);
        }}
      />
    );
  }
  return (
    <div
      ref={(field) => {
        if (field && back.current) field.focus();
        back.current = false;
      }}
      className="field field-number field-drag nodrag"
      role="spinbutton"
      tabIndex={0}
      aria-label={widget.title}
      aria-valuenow={number}
      aria-valuemin={limits.low ?? undefined}
      aria-valuemax={limits.high ?? undefined}
      data-widget={widget.name}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={() => (press.current = null)}
      onKeyDown={keys}
    >
      {slider && (
        <span className="field-fill" style={{ width: `${Math.min(100, Math.max(0, full))}%` }} />
      )}
      <span className="field-digits">{shown(number)}</span>
    </div>
  );
}

function shown(number: number): string {
  return String(tidy(number));
}
