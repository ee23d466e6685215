/** What Run will do, in words: as the server plans it, and before it has answered as the page guesses. */

import { useEffect, useMemo, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Layout, PlanAnswer, Workflow } from "../api/types";
import { seconds } from "../nodes/NodeTitle";
import { useCatalogue } from "../store/catalogue";
import { useChecks } from "../store/checks";
import { useActive, useWhole } from "../store/documents";
import { sizeInWords } from "../store/memory";
import { activeRuns, useRuns } from "../store/runs";
import { type Forecast, forecast, type MemoryForecast } from "../workflow/forecast";
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

/** The estimated memory in words, and what to say of it where it is more than there is. */
export function memoryWords(memory: MemoryForecast): { text: string; about: string; much: boolean } {
  const sizes = {
    models: sizeInWords(memory.models),
    once: sizeInWords(memory.atOnce),
    budget: sizeInWords(memory.budget),
  };
  const text = t("about {models} of memory", sizes);
  const whole = t(
    "Estimated from the sizes of the models that this run loads; models may take {budget}.",
    sizes,
  );
  const limited = memory.budget > 0;
  if (limited && memory.atOnce > memory.budget)
    return {
      text,
      about: `${whole} ${t(
        "One node needs {once} at once: a part of the weights is brought while it runs, which takes longer.",
        sizes,
      )}`,
      much: true,
    };
  if (limited && memory.models > memory.budget)
    return { text, about: `${whole} ${t("They take turns, and are loaded again.")}`, much: true };
  return { text, about: whole, much: false };
}

/** The guess with the server's counts and time; its own time stays where the server knows none and both mean the same nodes. */
export function corrected(guess: Forecast, plan: PlanAnswer): Forecast {
  const { cached, to_run: toRun, models = 0, at_once: atOnce = 0, budget = 0 } = plan;
  const seconds = plan.seconds ?? (guess.toRun === toRun ? guess.seconds : null);
  return { cached, toRun, seconds, ...(models > 0 && { memory: { models, atOnce, budget } }) };
}

/** Which seeds are fixed, as text, so that moving a node is no reason to reckon again. */
function seedChoices(layout: Layout): string {
  const chosen = Object.entries(layout.nodes).filter(([, place]) => place.fixed?.length || place.counting?.length);
  return JSON.stringify(Object.fromEntries(chosen));
}

export function useForecast(): Forecast {
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
  return plan ? corrected(guess, plan) : guess;
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
