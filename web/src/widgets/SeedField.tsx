/** A seed up to 2**64 - 1: kept from run to run, or drawn anew for each. */

import { ArrowUp10, Dices, Lock } from "lucide-react";
import { useState } from "react";
import { edit, useActive } from "../store/documents";
import {
  drawSeed,
  readSeed,
  seedText,
  type SeedMode,
  stepSeed,
} from "../workflow/seeds";
import { seedModeAt, withSeedModeAt } from "../workflow/inner";
import { useGesture } from "./gesture";
import type { WidgetProps } from "./props";
import { t } from "../i18n/t";

interface Mode {
  icon: typeof Lock;
  label(): string;
  says(): string;
  /** What a click makes of it. */
  next: SeedMode;
}

const MODES: Record<SeedMode, Mode> = {
  random: {
    icon: Dices,
    label: () => t("Seed is random each run"),
    says: () => t("A new seed for each run; what is shown is what ran. Click to keep this one."),
    next: "fixed",
  },
  fixed: {
    icon: Lock,
    label: () => t("Seed is fixed"),
    says: () => t("This seed is kept for every run. Click to go up by one each run."),
    next: "counting",
  },
  counting: {
    icon: ArrowUp10,
    label: () => t("Seed goes up by one each run"),
    says: () => t("One more for each run. Click for a new one each run."),
    next: "random",
  },
};

export function SeedField({ node, widget, value, onChange }: WidgetProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const mode = useActive(({ workflow }) => seedModeAt(workflow, node, widget.name));
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
  const { icon: Icon, label, says, next } = MODES[mode];
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
        aria-pressed={mode !== "random"}
        aria-label={label()}
        title={says()}
        data-test="seed-mode"
        onClick={() => edit((workflow) => withSeedModeAt(workflow, node, widget.name, next))}
      >
        <Icon size={14} />
      </button>
      {mode === "fixed" && (
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
