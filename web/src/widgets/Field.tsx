/** A widget's field away from its node, where the value belongs to something else than the canvas. */

import { useState } from "react";
import { readSeed, seedText } from "../workflow/seeds";
import { widgetKind } from "./kinds";
import type { WidgetProps } from "./props";
import { FIELDS } from "./Widget";

export function Field(props: WidgetProps) {
  const kind = widgetKind(props.widget);
  if (kind === "seed") return <PlainSeed {...props} />;
  const Component = FIELDS[kind].component;
  return <Component {...props} />;
}

/** A seed without the choice of drawing another one for each run. */
function PlainSeed({ widget, value, onChange }: WidgetProps) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input
      className="field field-number"
      inputMode="numeric"
      aria-label={widget.title}
      data-widget={widget.name}
      value={typed ?? seedText(value)}
      onChange={(event) => {
        setTyped(event.target.value);
        const seed = readSeed(event.target.value);
        if (seed !== null) onChange(seed);
      }}
      onBlur={() => setTyped(null)}
    />
  );
}
