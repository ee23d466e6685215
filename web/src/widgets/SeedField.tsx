/** A seed up to 2**64 - 1: kept from run to run, or drawn anew for each. */

import { Dices, Lock } from "lucide-react";
import { useState } from "react";
import { edit, useActive } from "../store/documents";
import { drawSeed, isFixed, readSeed, seedText, setFixed, stepSeed } from "../workflow/seeds";
import { useGesture } from "./gesture";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

export function SeedField({ node, widget, value, onChange }: WidgetProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const fixed = useActive((document) => isFixed(document.workflow, node, widget.name));
  const gesture = useGesture();

  const commit = () => {
    const next = typed === null ? null : readSeed(typed);
    if (next !== null && String(next) !== String(value)) onChange(next);
    setTyped(null);
  };
  const keys = (event: React.KeyboardEvent<HTMLInputElement>) => {
    const steps = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (steps !== undefined) {
      event.preventDefault();
      setTyped(null);
      onChange(stepSeed(value, steps), gesture.token());
    } else if (event.key === "Enter") {
      commit();
      event.currentTarget.blur();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      setTyped(null);
    }
  };
  const choice = fixed
    ? t("This seed is kept for every run. Click for a new one each run.")
    : t("A new seed for each run. Click to keep this one.");
  return (
    <div className="field-group">
      <input
        className="field field-number nodrag"
        value={typed ?? seedText(value)}
        aria-label={widget.title}
        data-widget={widget.name}
        inputMode="numeric"
        onFocus={(event) => event.target.select()}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={commit}
        onKeyDown={keys}
      />
      <button
        type="button"
        className="icon-button nodrag"
        aria-pressed={fixed}
        aria-label={fixed ? t("Seed is fixed") : t("Seed is random each run")}
        title={choice}
        data-test="seed-mode"
        onClick={() => edit((workflow) => setFixed(workflow, node, widget.name, !fixed))}
      >
        {fixed ? <Lock size={14} /> : <Dices size={14} />}
      </button>
      {fixed && (
        <button
          type="button"
          className="icon-button nodrag"
          aria-label={t("Draw a new seed")}
          title={t("Draw a new seed")}
          onClick={() => onChange(drawSeed())}
        >
          <Dices size={14} />
        </button>
      )}
    </div>
  );
}
