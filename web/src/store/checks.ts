/** What the checker says of the active workflow, asked anew shortly after every edit. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { CheckAnswer, NodeTypes, Problem, Workflow } from "../api/types";
import { activeDocument, useDocuments } from "./documents";
import { useCatalogue } from "./catalogue";
import { settle } from "./ui";

/** The topic of the notice that a run was refused. */
export const REFUSED = "refused";
const PAUSE = 60; // milliseconds without an edit before the checker is asked

interface Checks {
  problems: Problem[];
  byNode: Record<string, Problem[]>;
  types: Record<string, NodeTypes>;
  runnable: boolean;
  /** The sentence where the checker could not be asked. */
  trouble: string | null;
}

export const useChecks = create<Checks>()(() => ({
  problems: [],
  byNode: {},
  types: {},
  runnable: true,
  trouble: null,
}));

/** `now`, with each entry that equals the one of `before` being that very object, so that few nodes redraw. */
export function keepEqual<T>(before: Record<string, T>, now: Record<string, T>): Record<string, T> {
  const kept: Record<string, T> = {};
  for (const [key, value] of Object.entries(now)) {
    const old = before[key];
    kept[key] = old !== undefined && JSON.stringify(old) === JSON.stringify(value) ? old : value;
  }
  return kept;
}

export function problemsByNode(problems: Problem[]): Record<string, Problem[]> {
  const byNode: Record<string, Problem[]> = {};
  for (const problem of problems) if (problem.node) (byNode[problem.node] ??= []).push(problem);
  return byNode;
}

/** Show an answer, be it of a check or of a refused run. */
export function showAnswer(answer: CheckAnswer): void {
  if (answer.runnable) settle(REFUSED);
  const before = useChecks.getState();
  useChecks.setState({
    problems: answer.problems,
    byNode: keepEqual(before.byNode, problemsByNode(answer.problems)),
    types: keepEqual(before.types, answer.types),
    runnable: answer.runnable,
    trouble: null,
  });
}

let asked: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

async function ask(workflow: Workflow): Promise<void> {
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  try {
    const answer = await api.check(workflow, mine.signal);
    if (!mine.signal.aborted) showAnswer(answer);
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error instanceof ApiError)
      useChecks.setState({ trouble: error.status ? error.message : null });
    else throw error;
  }
}

export function checkSoon(): void {
  clearTimeout(timer);
  if (!useCatalogue.getState().ready) return;
  timer = setTimeout(() => void ask(activeDocument(useDocuments.getState()).workflow), PAUSE);
}

/** Begin to watch. A change of the layout alone is no reason to ask. */
export function watch(): void {
  useDocuments.subscribe((state, before) => {
    const now = activeDocument(state).workflow.nodes;
    if (now !== activeDocument(before).workflow.nodes) checkSoon();
  });
  useCatalogue.subscribe((state, before) => {
    const changed = state.ready !== before.ready || state.definitions !== before.definitions;
    if (changed || state.models !== before.models) checkSoon();
  });
  checkSoon();
}
