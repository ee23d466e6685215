/** What Run will do, in words: as the server plans it, and before it has answered as the page guesses. */

import { useEffect, useMemo, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Layout, PlanAnswer, Workflow } from "../api/types";
import { seconds } from "../nodes/NodeTitle";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { useActive, useWhole } from "../store/documents";
import { activeRuns, useRuns } from "../store/runs";
import { type Forecast, forecast } from "../workflow/forecast";
import { emptyWorkflow } from "../workflow/model";
import { withFreshSeeds } from "../workflow/seeds";
import { t } from "../i18n/t";

const PAUSE = 200; // milliseconds without a change before the server is asked

export function foretold({ cached, toRun, seconds: time }: Forecast): string {
  if (cached + toRun === 0) return t("Nothing to run: add a node that saves or shows a picture.");
  if (toRun === 0) return t("Nothing changed since the last run");
  const parts = cached ? [t("{cached} cached", { cached })] : [];
  parts.push(t("{toRun} to run", { toRun }));
  if (time !== null && time >= 0.5)
    parts.push(t("about {time}", { time: seconds(Math.round(time)) }));
  return parts.join(", ");
}

/** The guess with the server's counts and time; its own time stays where the server knows none and both mean the same nodes. */
export function corrected(guess: Forecast, { cached, to_run: toRun, seconds: time }: PlanAnswer): Forecast {
  return { cached, toRun, seconds: time ?? (guess.toRun === toRun ? guess.seconds : null) };
}

/** Which seeds are fixed, as text, so that moving a node is no reason to reckon again. */
function seedChoices(layout: Layout): string {
  const chosen = Object.entries(layout.nodes).filter(([, place]) => place.fixed?.length || place.counting?.length);
  return JSON.stringify(Object.fromEntries(chosen));
}

export function useForecast(): string {
  const nodes = useWhole((document) => document.workflow.nodes);
  const subgraphs = useWhole((document) => document.workflow.subgraphs);
  const places = useWhole((document) => document.workflow.layout);
  const used = useActive((document) => document.used);
  const definitions = useCatalogue((state) => state.definitions);
  const experience = useRuns((state) => state.experience);
  const fixed = useMemo(() => seedChoices(places), [places]);
  // As it would be sent: a seed that will be drawn anew is like no seed of before.
  const workflow = useMemo(() => {
    const layout = { nodes: JSON.parse(fixed) as Layout["nodes"] };
    return withFreshSeeds({ ...emptyWorkflow(), nodes, layout, subgraphs }, definitions, used);
  }, [nodes, subgraphs, fixed, used, definitions]);
  const guess = useMemo(
    () => forecast(workflow, definitions, experience),
    [workflow, definitions, experience],
  );
  const plan = usePlan(workflow);
  return foretold(plan ? corrected(guess, plan) : guess);
}

/** The server's plan, asked for after a change and when nothing runs any more; null where there is none. */
function usePlan(workflow: Workflow): PlanAnswer | null {
  const document = useActive(({ id }) => id);
  const ready = useCatalogue((state) => state.worker.state === "ready");
  const runnable = useChecks((state) => state.runnable);
  const idle = useRuns((state) => activeRuns(state).length === 0);
  const [known, setKnown] = useState<{ document: string; plan: PlanAnswer } | null>(null);
  useEffect(() => {
    if (!ready || !runnable || !idle) return;
    const mine = new AbortController();
    const ask = async () => {
      try {
        const plan = await api.plan(workflow, mine.signal);
        if (!mine.signal.aborted) setKnown(plan.refused === null ? { document, plan } : null);
      } catch (error) {
        if (!mine.signal.aborted && !(error instanceof ApiError)) throw error;
      }
    };
    const timer = setTimeout(() => void ask(), PAUSE);
    return () => {
      clearTimeout(timer);
      mine.abort();
    };
  }, [workflow, document, ready, runnable, idle]);
  return known?.document === document ? known.plan : null;
}
