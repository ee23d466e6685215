/** One of several values, found by typing. */

import { ChevronDown } from "lucide-react";
import { useRef, useState } from "react";
import { choicesOf } from "./kinds";
import { PickList } from "./PickList";
import { Popover } from "./Popover";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

export function ChoiceField({ widget, value, onChange }: WidgetProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const choices = choicesOf(widget.schema);
  const known = choices.some((choice) => choice.value === value);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="field field-choice nodrag"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-label={`${widget.title}: ${String(value ?? t("none"))}`}
        data-widget={widget.name}
        data-unknown={!known || undefined}
        onClick={() => setOpen(!open)}
      >
        <span className="field-text">{String(value ?? "choose…")}</span>
        <ChevronDown size={14} aria-hidden="true" />
      </button>
      {open && (
        <Popover anchor={button} onClose={() => setOpen(false)} width={224}>
          <PickList
            picks={choices.map(({ label }) => ({ key: label, label }))}
            current={String(value)}
            placeholder={t("Search {what}", { what: widget.title.toLowerCase() })}
            label={widget.title}
            empty={t("Nothing of that name.")}
            onPick={(key) => {
              const choice = choices.find(({ label }) => label === key);
              if (choice) onChange(choice.value);
              setOpen(false);
              button.current?.focus();
            }}
          />
        </Popover>
      )}
    </>
  );
}
