/** A colour as "#rrggbb": chosen with the system's own picker, or typed. */

import { useGesture } from "./gesture";
import type { WidgetProps } from "./props";

const WRITTEN = /^#[0-9a-f]{6}$/i;

/** What was typed as a colour, also "f80" and "#F80"; null where it is none. */
export function readColour(text: string): string | null {
  const digits = text.trim().replace(/^#/, "").toLowerCase();
  const long = digits.length === 3 ? [...digits].map((digit) => digit + digit).join("") : digits;
  return WRITTEN.test(`#${long}`) ? `#${long}` : null;
}

export function ColourField({ widget, value, onChange }: WidgetProps) {
  const gesture = useGesture();
  const colour = readColour(String(value ?? "")) ?? "#000000";
  return (
    <div className="field-group">
      <input
        type="color"
        className="field-colour nodrag"
        value={colour}
        aria-label={widget.title}
        data-widget={widget.name}
        onFocus={gesture.begin}
        onChange={(event) => onChange(event.target.value, gesture.token())}
      />
      <input
        key={colour}
        className="field nodrag"
        defaultValue={colour}
        aria-label={`${widget.title}, #rrggbb`}
        spellCheck={false}
        onBlur={(event) => {
          const next = readColour(event.target.value);
          if (next && next !== colour) onChange(next);
          else event.target.value = colour;
        }}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
    </div>
  );
}
