/** Batches: how far each one is, and what is done with all of its runs at once. */

import { Grid3x3, RotateCcw, X } from "lucide-react";
import type { BatchAnswer } from "../api/queue";
import { cancelQueue, repeatFailed, useQueue } from "../store/queue";
import { ui } from "../store/ui";
import { t } from "../i18n/t";

const SHOWN = 8; // the newest ones; those that are not over are shown in any case

/** How many runs of a batch are over, how many failed, and how many there are. */
export function tally({ counts }: Pick<BatchAnswer, "counts">) {
  const { waiting = 0, running = 0, interrupted = 0 } = counts;
  const { finished = 0, failed = 0, cancelled = 0 } = counts;
  const left = waiting + running + interrupted;
  return { left, failed, finished, cancelled, all: left + finished + failed + cancelled };
}

function words(batch: BatchAnswer): string {
  const { left, failed, finished, cancelled, all } = tally(batch);
  const parts = [
    left
      ? t("{finished} of {all}", { finished, all })
      : t("{count} done", { count: finished }),
  ];
  if (failed) parts.push(t("{count} failed", { count: failed }));
  if (cancelled) parts.push(t("{count} cancelled", { count: cancelled }));
  return parts.join(" · ");
}

function Batch({ batch }: { batch: BatchAnswer }) {
  const { left, failed, all } = tally(batch);
  const name = batch.name || t("Batch");
  return (
    <div className="run-card" data-batch={batch.id} data-test="queue-batch">
      <div className="run-row">
        <span className="library-name" title={name}>
          {name}
        </span>
        {left > 0 && (
          <button
            type="button"
            className="icon-button"
            aria-label={t("Cancel what is left of {name}", { name })}
            title={t("Cancel what is left of this batch")}
            onClick={() => void cancelQueue(batch.id)}
          >
            <X size={14} />
          </button>
        )}
      </div>
      {left > 0 && (
        <div className="meter">
          <span style={{ width: `${((all - left) / Math.max(1, all)) * 100}%` }} />
        </div>
      )}
      <div className="queue-about">
        <span className="queue-words">{words(batch)}</span>
        <span className="queue-actions">
          <button
            type="button"
            className="button button-small"
            data-test="queue-grid"
            onClick={() => ui({ sheet: { kind: "grid", batch: batch.id } })}
          >
            <Grid3x3 size={12} aria-hidden="true" />
            {t("Grid")}
          </button>
          {failed > 0 && (
            <button
              type="button"
              className="button button-small"
              data-test="queue-retry-batch"
              onClick={() => void repeatFailed(batch.id)}
            >
              <RotateCcw size={12} aria-hidden="true" />
              {t("Retry failed")}
            </button>
          )}
        </span>
      </div>
    </div>
  );
}

export function Batches() {
  const all = useQueue((state) => state.batches);
  const batches = all.filter((batch, index) => index < SHOWN || tally(batch).left > 0);
  if (batches.length === 0) return null;
  return (
    <>
      <div className="panel-heading">{t("Batches")}</div>
      {batches.map((batch) => (
        <Batch key={batch.id} batch={batch} />
      ))}
    </>
  );
}
