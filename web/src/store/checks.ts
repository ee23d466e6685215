/** What the checker says of the active workflow, asked anew shortly after every edit. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { CheckAnswer, NodeTypes, Problem, Workflow } from "../api/types";
import { sameGraph } from "../workflow/subgraphs";
import { activeDocument, levelKey, pathOf, useDocuments } from "./documents";
import { atLevel } from "../workflow/answers";
import { useCatalogue } from "./catalogue";
import { settle } from "./ui";

/** The topic of the notice that a run was refused. */
export const REFUSED = "refused";
const PAUSE = 60; // milliseconds without an edit before the checker is asked again

interface Checks {
  /** The whole answer; `byNode` and `types` are those of what is shown, by the ids there. */
  answer: CheckAnswer;
  problems: Problem[];
  byNode: Record<string, Problem[]>;
  types: Record<string, NodeTypes>;
  runnable: boolean;
  /** The sentence where the checker could not be asked. */
  trouble: string | null;
}

const NONE: CheckAnswer = { problems: [], types: {}, runnable: true };

export const useChecks = create<Checks>()(() => ({
  answer: NONE,
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
  useChecks.setState({
    answer,
    problems: answer.problems,
    runnable: answer.runnable,
    trouble: null,
  });
  showLevel();
}

/** Show of the answer what concerns the nodes that are shown. */
function showLevel(): void {
  const before = useChecks.getState();
  const document = activeDocument(useDocuments.getState());
  const { problems, types } = atLevel(before.answer, document.workflow, pathOf(document));
  useChecks.setState({
    byNode: keepEqual(before.byNode, problemsByNode(problems)),
    types: keepEqual(before.types, types),
  });
}

let asked: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let edited = -PAUSE; // when the last edit was

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

/** After one edit the checker is asked at once, and after many in a row when they pause. */
export function checkSoon(): void {
  clearTimeout(timer);
  if (!useCatalogue.getState().ready) return;
  const now = performance.now();
  const wait = now - edited > PAUSE ? 0 : PAUSE;
  edited = now;
  timer = setTimeout(() => void ask(activeDocument(useDocuments.getState()).workflow), wait);
}

/** Begin to watch. A change of the layout alone is no reason to ask. */
export function watch(): void {
  useDocuments.subscribe((state, before) => {
    const [now, then] = [activeDocument(state), activeDocument(before)];
    if (now === then) return;
    if (!sameGraph(now.workflow, then.workflow)) checkSoon();
    if (levelKey(now) !== levelKey(then)) showLevel();
  });
  useCatalogue.subscribe((state, before) => {
    const changed = state.ready !== before.ready || state.definitions !== before.definitions;
    if (changed || state.models !== before.models) checkSoon();
  });
  checkSoon();
}
