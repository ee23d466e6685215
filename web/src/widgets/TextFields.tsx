/** Text of one line or several, and the toggle. */

import { definitions } from "../store/catalogue";
import { useActive } from "../store/documents";
import { nodeAt } from "../workflow/subgraphs";
import { useGesture } from "./gesture";
import { PromptField } from "./PromptField";
import type { WidgetProps } from "./props";

export function TextField({ widget, value, onChange }: WidgetProps) {
  const gesture = useGesture();
  return (
    <input
      className="field nodrag"
      value={String(value ?? "")}
      aria-label={widget.title}
      data-widget={widget.name}
      maxLength={widget.schema.maxLength}
      spellCheck={false}
      onFocus={gesture.begin}
      onChange={(event) => onChange(event.target.value, gesture.token())}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
    />
  );
}

/** A prompt where the node has text encoders to read it, else any text. */
export function MultilineField(props: WidgetProps) {
  const reads = useActive(({ workflow }) => {
    const type = nodeAt(workflow, props.node)?.type ?? "";
    return definitions()[type]?.inputs.some(({ term }) => term.kind === "Clip") ?? false;
  });
  return reads ? <PromptField {...props} /> : <PlainLines {...props} />;
}

function PlainLines({ widget, value, onChange }: WidgetProps) {
  const gesture = useGesture();
  return (
    <textarea
      className="field field-multiline nodrag nowheel nopan"
      value={String(value ?? "")}
      aria-label={widget.title}
      data-widget={widget.name}
      maxLength={widget.schema.maxLength}
      placeholder={`${widget.title}…`}
      rows={3}
      onFocus={gesture.begin}
      onChange={(event) => onChange(event.target.value, gesture.token())}
    />
  );
}

export function ToggleField({ widget, value, onChange }: WidgetProps) {
  const on = value === true;
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={widget.title}
      data-widget={widget.name}
      className="toggle nodrag"
      onClick={() => onChange(!on)}
    >
      <span className="toggle-knob" />
    </button>
  );
}
