/** Make a batch ready: which values vary and how, how many runs that is, and how long it takes. */

import { Plus } from "lucide-react";
import { useEffect } from "react";
import type { BatchPlan } from "../api/queue";
import { useWhole } from "../store/documents";
import { addDraft, planBatch, queueBatch, useBatch } from "../store/batch";
import { lettersOf } from "../workflow/batch";
import { inWords } from "../workflow/timeLeft";
import { BatchAxis } from "./BatchAxis";
import { closeSheet, Sheet } from "./Sheet";
import { plural, t } from "../i18n/t";

const PAUSE = 250; // milliseconds without a change after which the server is asked

/** Ask anew what the batch would be whenever something of it is another. */
function usePlan(): void {
  const drafts = useBatch((state) => state.drafts);
  const workflow = useWhole((document) => document.workflow);
  useEffect(() => {
    const timer = setTimeout(() => void planBatch(), PAUSE);
    return () => clearTimeout(timer);
  }, [drafts, workflow]);
}

function counted(plan: BatchPlan): string {
  const runs = plural(plan.count, "1 run", "{number} runs", {
    number: plan.count.toLocaleString(),
  });
  const sides = plan.axes.map(({ labels }) => labels.length);
  return sides.length > 1 ? `${runs} (${sides.join(" × ")})` : runs;
}

function Summary() {
  const plan = useBatch((state) => state.plan);
  const missing = useBatch((state) => (state.missingAt === null ? state.missing : ""));
  return (
    <div className="batch-summary" role="status" data-test="batch-summary">
      {missing && <p className="sheet-trouble">{missing}</p>}
      {plan && (
        <p>
          <strong data-test="batch-count">{counted(plan)}</strong>
          <span data-test="batch-time">
            {" "}
            {typeof plan.seconds === "number"
              ? t("· about {time}", { time: inWords(plan.seconds) })
              : plan.runnable && t("· how long is known after the first run")}
          </span>
        </p>
      )}
      {plan && plan.names.length > 0 && (
        <p className="batch-names" title={plan.names.join("\n")}>
          {plan.names.slice(0, 3).join(" · ")}
          {plan.count > 3 && " · …"}
        </p>
      )}
      {plan?.problems.map((problem) => (
        <p className="sheet-trouble" key={problem.message}>
          {problem.message}
        </p>
      ))}
    </div>
  );
}

export default function BatchDialog() {
  usePlan();
  const drafts = useBatch((state) => state.drafts);
  const name = useBatch((state) => state.name);
  const stopOnError = useBatch((state) => state.stopOnError);
  const plan = useBatch((state) => state.plan);
  const letters = lettersOf(drafts);
  return (
    <Sheet title={t("Batch: let values vary")} name="batch">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (plan?.runnable) void queueBatch();
        }}
      >
        <ol className="batch-axes">
          {drafts.map((draft, index) => (
            <BatchAxis
              key={draft.key}
              draft={draft}
              letter={letters[index] ?? ""}
              first={index === 0}
              only={drafts.length === 1}
            />
          ))}
        </ol>
        <button
          type="button"
          className="button button-quiet"
          data-test="batch-add"
          onClick={addDraft}
        >
          <Plus size={14} aria-hidden="true" />
          {t("Let another value vary")}
        </button>
        <div className="batch-about">
          <label>
            {t("Name")}
            <input
              className="field"
              value={name}
              data-test="batch-name"
              onChange={(event) => useBatch.setState({ name: event.target.value })}
            />
          </label>
          <label className="check">
            <input
              type="checkbox"
              checked={stopOnError}
              onChange={(event) => useBatch.setState({ stopOnError: event.target.checked })}
            />
            {t("Stop at the first error")}
          </label>
        </div>
        <div className="dialog-buttons">
          <Summary />
          <button type="button" className="button button-quiet" onClick={closeSheet}>
            {t("Cancel")}
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={!plan?.runnable}
            data-test="batch-queue"
          >
            {t("Queue")} {plan && plan.count > 1 ? plan.count.toLocaleString() : ""}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
