/** What else can be done with a run that waits: its priority, its values, another one like it. */

import { ArrowDown, ArrowUp, CopyPlus, SlidersHorizontal } from "lucide-react";
import type { RunAnswer } from "../api/types";
import { prioritise, repeatRuns } from "../store/queue";
import { ui } from "../store/ui";
import { t } from "../i18n/t";

const PRIORITIES: readonly { title: string; priority: number }[] = [
  { title: t("High"), priority: 10 },
  { title: t("Normal"), priority: 0 },
  { title: t("Low"), priority: -10 },
];

function nameOf(priority: number): string {
  return PRIORITIES.find((one) => one.priority === priority)?.title ?? String(priority);
}

/** What is said of a priority that is not the usual one. */
export function priorityTitle({ priority = 0 }: RunAnswer): string {
  return priority === 0 ? "" : nameOf(priority).toLowerCase();
}

interface Props {
  run: RunAnswer;
  earlier: (() => void) | null;
  later: (() => void) | null;
}

export function QueueDetails({ run, earlier, later }: Props) {
  const now = run.priority ?? 0;
  const known = PRIORITIES.some(({ priority }) => priority === now);
  return (
    <div className="queue-details" data-test="queue-details">
      <div className="queue-buttons">
        <label className="queue-priority">
          {t("Priority")}
          <select
            className="field"
            data-test="queue-priority"
            value={now}
            onChange={(event) => void prioritise(run.id, Number(event.target.value))}
          >
            {!known && <option value={now}>{nameOf(now)}</option>}
            {PRIORITIES.map(({ title, priority }) => (
              <option key={priority} value={priority}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          className="icon-button"
          aria-label={t("Earlier")}
          title={t("Earlier (Alt+↑)")}
          disabled={!earlier}
          onClick={earlier ?? undefined}
        >
          <ArrowUp size={14} />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={t("Later")}
          title={t("Later (Alt+↓)")}
          disabled={!later}
          onClick={later ?? undefined}
        >
          <ArrowDown size={14} />
        </button>
      </div>
      <div className="queue-buttons">
        <button
          type="button"
          className="button button-small button-quiet"
          data-test="queue-edit"
          onClick={() => ui({ sheet: { kind: "run-values", run: run.id, how: "edit" } })}
        >
          <SlidersHorizontal size={12} aria-hidden="true" />
          {t("Edit…")}
        </button>
        <button
          type="button"
          className="button button-small button-quiet"
          data-test="queue-duplicate"
          onClick={() => void repeatRuns([run.id])}
        >
          <CopyPlus size={12} aria-hidden="true" />
          {t("Duplicate")}
        </button>
      </div>
    </div>
  );
}
