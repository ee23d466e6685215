/** The bottom: Run, how many, what will happen or is happening, and the zoom. */

import { useReactFlow, useStore } from "@xyflow/react";
import { AlertTriangle, Grid3x3, Map as MapIcon, Maximize, Minus, Play, Plus, Square } from "lucide-react";
import { command } from "../commands/list";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { useWhole } from "../store/documents";
import { useQueue } from "../store/queue";
import { cancelRun } from "../store/running";
import { activeRuns, type Run, useRuns } from "../store/runs";
import { useSettings } from "../store/settings";
import { ui, useUi } from "../store/ui";
import type { MemoryForecast } from "../workflow/forecast";
import { titleOf } from "../workflow/model";
import { share } from "../workflow/progress";
import { levelOf, locate } from "../workflow/subgraphs";
import { CommandButton } from "./TopBar";
import { foretold, memoryWords, useForecast } from "./useForecast";
import { plural, t } from "../i18n/t";

const MOST = 99; // runs that are queued at once

function happening(run: Run, paused: boolean, name: (id: string) => string): string {
  if (paused && run.status !== "running") return t("The queue is paused");
  if (run.status === "waiting") return t("Waiting for its turn");
  if (run.status === "interrupted") return t("Was interrupted; will be run again");
  const entries = Object.entries(run.nodes);
  const running = entries.find(([, node]) => node.state === "running");
  const done = entries.filter(
    ([, node]) => node.state === "finished" || node.state === "cached",
  ).length;
  const count = entries.length ? t("{done} of {count}", { done, count: entries.length }) : "";
  if (!running) return [t("Running"), count].filter(Boolean).join(" · ");
  const step = run.progress[running[0]];
  // The line beneath tells how far the whole run is.
  return [name(running[0]), step ? `${step.step}/${step.steps}` : count]
    .filter(Boolean)
    .join(" · ");
}

function Status() {
  const current = useRuns(
    (state) =>
      activeRuns(state).findLast((run) => run.status === "running") ?? activeRuns(state).at(-1),
  );
  const waiting = useRuns((state) => activeRuns(state).length);
  const paused = useQueue((state) => state.pause !== "no");
  const workflow = useWhole((document) => document.workflow);
  const definitions = useCatalogue((state) => state.definitions);
  const ready = useCatalogue((state) => state.ready);
  const errors = useChecks((state) => state.problems.filter((p) => p.severity === "error").length);
  const runnable = useChecks((state) => state.runnable);
  const coming = useForecast();
  const name = (id: string) => {
    const at = locate(workflow, id);
    const node = at ? levelOf(workflow, at.path).nodes[at.id] : undefined;
    return node ? titleOf(node, definitions[node.type]) : id;
  };
  if (!ready) return <span className="run-status">{t("Starting…")}</span>;
  if (current) {
    return (
      <span className="run-status" role="status" data-test="run-status">
        {happening(current, paused, name)}
        {waiting > 1 && t(" · {value} waiting", { value: waiting - 1 })}
        <span className="run-line" style={{ width: `${share(current) * 100}%` }} />
      </span>
    );
  }
  const count = plural(errors, "1 problem", "{count} problems");
  return (
    <>
      {(runnable || errors === 0) && (
        <span className="run-status" data-test="run-status">
          {foretold(coming)}
          {coming.memory && <MemoryNeeded memory={coming.memory} />}
        </span>
      )}
      {errors > 0 && (
        <button
          type="button"
          className="run-status run-errors"
          data-quiet={runnable || undefined}
          data-test="run-problems"
          title={
            runnable
              ? t("{count} that do not concern this run", { count })
              : t("What keeps this from running")
          }
          onClick={() => ui({ right: "problems" })}
        >
          {count}
        </button>
      )}
    </>
  );
}

/** What the models of the next run will take; a warning where that is more than there is for them. */
function MemoryNeeded({ memory }: { memory: MemoryForecast }) {
  const { text, about, much } = memoryWords(memory);
  return (
    <span className="run-memory" data-much={much || undefined} data-test="run-memory" title={about}>
      {much && <AlertTriangle size={13} aria-hidden="true" />}
      {text}
      {much && <span className="only-heard">{` (${about})`}</span>}
    </span>
  );
}

function Count() {
  const count = useUi((state) => state.count);
  const set = (next: number) => ui({ count: Math.max(1, Math.min(MOST, next)) });
  return (
    <div className="run-count" role="group" aria-label={t("How many runs")}>
      <button
        type="button"
        className="icon-button"
        aria-label={t("One run less")}
        title={t("One run less")}
        disabled={count <= 1}
        onClick={() => set(count - 1)}
      >
        <Minus size={14} />
      </button>
      <input
        aria-label={t("Number of runs")}
        title={t("How many runs; random seeds differ in each")}
        inputMode="numeric"
        value={count}
        onChange={(event) => set(Number(event.target.value.replace(/\D/g, "")) || 1)}
      />
      <button
        type="button"
        className="icon-button"
        aria-label={t("One run more")}
        title={t("One run more")}
        disabled={count >= MOST}
        onClick={() => set(count + 1)}
      >
        <Plus size={14} />
      </button>
    </div>
  );
}

function Zoom() {
  const zoom = useStore((state) => state.transform[2]);
  const flow = useReactFlow();
  const minimap = useSettings((state) => state.minimap);
  return (
    <div className="bar" role="toolbar" aria-label={t("Zoom")}>
      <CommandButton id="zoom-out" icon={Minus} />
      <button
        type="button"
        className="zoom-value"
        title={t("Zoom to 100 % (1)")}
        onClick={() => void flow.zoomTo(1, { duration: 120 })}
      >
        {Math.round(zoom * 100)} %
      </button>
      <CommandButton id="zoom-in" icon={Plus} />
      <CommandButton id="fit" icon={Maximize} />
      <CommandButton id="minimap" icon={MapIcon} pressed={minimap} />
    </div>
  );
}

export function RunBar() {
  const active = useRuns((state) => activeRuns(state).length > 0);
  const ready = useCatalogue((state) => state.ready);
  const { title, run } = command("run");
  return (
    <footer className="bottom-bar">
      <div className="bar run-bar" role="toolbar" aria-label={t("Run")}>
        <button
          type="button"
          className="button button-primary"
          title={t("{title} (Ctrl+Enter)", { title })}
          disabled={!ready}
          data-test="run"
          onClick={() => void run()}
        >
          <Play size={14} aria-hidden="true" />
          {t("Run")}
        </button>
        <Count />
        <CommandButton id="batch" icon={Grid3x3} />
        <span className="bar-divider" />
        <div className="run-middle">
          <Status />
          {active && (
            <button
              type="button"
              className="button button-quiet"
              data-test="cancel"
              title={t("Cancel the run (Ctrl+Alt+Enter)")}
              onClick={() => void cancelRun()}
            >
              <Square size={12} aria-hidden="true" />
              {t("Cancel")}
            </button>
          )}
        </div>
      </div>
      <Zoom />
    </footer>
  );
}
