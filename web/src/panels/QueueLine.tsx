/** What waits, in the server's order; dragged, or moved by keys, it is reordered there. */

import { ArrowUpToLine, Ellipsis, GripVertical } from "lucide-react";
import { type DragEvent, type KeyboardEvent, memo, useState } from "react";
import type { MoveTo } from "../api/queue";
import type { RunAnswer } from "../api/types";
import { droppedOn, movedBy, moveRun, useQueue } from "../store/queue";
import { priorityTitle, QueueDetails } from "./QueueDetails";
import { CancelButton, useRunName } from "./QueueRun";
import { t } from "../i18n/t";

const DRAGGED = "application/x-latent-loom-run";
const AT_FIRST = 40; // rows that are drawn before a person asks for more

/** Move a run and keep the keyboard where it was: at the run. */
async function move(id: string, to: MoveTo | null): Promise<void> {
  if (!to) return;
  const inside = document.activeElement?.closest(`[data-run="${id}"]`);
  const label = document.activeElement?.getAttribute("aria-label");
  await moveRun(id, to);
  if (!inside) return;
  const row = document.querySelector<HTMLElement>(`.queue-item[data-run="${id}"]`);
  const button = label && row?.querySelector<HTMLElement>(`button[aria-label="${label}"]`);
  const target = button instanceof HTMLButtonElement && !button.disabled ? button : row;
  target?.focus();
}

const line = () => useQueue.getState().line;

/** When it was queued, which tells apart runs of one name. */
function queued(run: RunAnswer): string {
  const time = new Date(Number(run.created ?? 0) * 1000);
  return time.toLocaleTimeString(undefined, { timeStyle: "medium" });
}

interface RowProps {
  run: RunAnswer;
  first: boolean;
  last: boolean;
}

const WaitingRun = memo(function WaitingRun({ run, first, last }: RowProps) {
  const name = useRunName(run);
  const [over, setOver] = useState(false);
  const [open, setOpen] = useState(false);
  const interrupted = run.status === "interrupted";
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && event.target === event.currentTarget) setOpen(!open);
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    void move(run.id, movedBy(line(), run.id, event.key === "ArrowUp" ? -1 : 1));
  };
  const drag = {
    onDragStart: (event: DragEvent) => {
      event.dataTransfer.setData(DRAGGED, run.id);
      event.dataTransfer.effectAllowed = "move";
    },
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer.types.includes(DRAGGED)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      setOver(false);
      const dropped = event.dataTransfer.getData(DRAGGED);
      if (!dropped) return;
      event.preventDefault();
      void move(dropped, droppedOn(line(), dropped, run.id));
    },
  };
  return (
    <li
      className="queue-item"
      data-run={run.id}
      data-status={run.status}
      data-over={over || undefined}
      data-open={open || undefined}
      data-test="queue-waiting"
      draggable
      tabIndex={0}
      aria-label={interrupted ? t("{name}, was interrupted", { name }) : name}
      aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown Enter"
      onKeyDown={keys}
      {...drag}
    >
      <div className="queue-row">
        <GripVertical className="queue-grip" size={14} aria-hidden="true" />
        <span className="library-name" title={name}>
          {name}
        </span>
        {!run.name && <span className="list-detail">{queued(run)}</span>}
        {priorityTitle(run) && <span className="badge">{priorityTitle(run)}</span>}
        {interrupted && (
          <span className="badge" title={t("It was cut off and is begun once more")}>
            {t("interrupted")}
          </span>
        )}
        <span className="queue-actions">
          <button
            type="button"
            className="icon-button"
            aria-label={t("Run it next")}
            title={t("Run it next")}
            disabled={first}
            data-test="queue-front"
            onClick={() => void move(run.id, { front: true })}
          >
            <ArrowUpToLine size={14} />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={t("More about {name}", { name })}
            title={t("More (Enter)")}
            aria-expanded={open}
            data-test="queue-more"
            onClick={() => setOpen(!open)}
          >
            <Ellipsis size={14} />
          </button>
          <CancelButton run={run.id} name={name} />
        </span>
      </div>
      {open && (
        <QueueDetails
          run={run}
          earlier={first ? null : () => void move(run.id, movedBy(line(), run.id, -1))}
          later={last ? null : () => void move(run.id, movedBy(line(), run.id, 1))}
        />
      )}
    </li>
  );
});

export function WaitingRuns() {
  const runs = useQueue((state) => state.line);
  const waiting = useQueue((state) => state.waiting);
  const [most, setMost] = useState(AT_FIRST);
  if (runs.length === 0) return null;
  const more = Math.max(waiting, runs.length) - most;
  return (
    <>
      <div className="panel-heading">
        {t("Waiting")}
        <span className="panel-count">{Math.max(waiting, runs.length)}</span>
      </div>
      <ol className="queue-line" aria-label={t("Waiting runs")}>
        {runs.slice(0, most).map((run, index) => (
          <WaitingRun key={run.id} run={run} first={index === 0} last={index === runs.length - 1} />
        ))}
      </ol>
      {more > 0 && (
        <button
          type="button"
          className="button button-quiet"
          disabled={most >= runs.length}
          onClick={() => setMost(most + 200)}
        >
          {most >= runs.length
            ? t("{more} more wait", { more })
            : t("Show more of {more}", { more })}
        </button>
      )}
    </>
  );
}
