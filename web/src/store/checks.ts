/** What the checker says of the active workflow, asked anew shortly after every edit. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { CheckAnswer, CheckedAnswer, NodeTypes, Problem, Workflow } from "../api/types";
import { changeOf, withChanges } from "../workflow/change";
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
  let same = before === now;
  if (same) return before;
  const entries = Object.entries(now);
  same = entries.length === Object.keys(before).length;
  for (const [key, value] of entries) {
    const old = before[key];
    const equal = old === value || (old && JSON.stringify(old) === JSON.stringify(value));
    kept[key] = equal ? (old as T) : value;
    same &&= kept[key] === old;
  }
  return same ? before : kept;
}

export function problemsByNode(problems: Problem[]): Record<string, Problem[]> {
  const byNode: Record<string, Problem[]> = {};
  for (const problem of problems) if (problem.node) (byNode[problem.node] ??= []).push(problem);
  return byNode;
}

/** Show an answer, be it of a check or of a refused run. */
export function showAnswer(answer: CheckAnswer): void {
  if (answer.runnable) settle(REFUSED);
  const { problems, runnable } = answer;
  useChecks.setState({ answer, problems, runnable, trouble: null, ...ofLevel(answer) });
}

/** What an answer says of the nodes that are shown. */
function ofLevel(answer: CheckAnswer): Pick<Checks, "byNode" | "types"> {
  const before = useChecks.getState();
  const document = activeDocument(useDocuments.getState());
  const { problems, types } = atLevel(answer, document.workflow, pathOf(document));
  return {
    byNode: keepEqual(before.byNode, problemsByNode(problems)),
    types: keepEqual(before.types, types),
  };
}

/** The workflow that was checked last, as the server knows it, so that it is told only what is other since. */
let base: { name: string; workflow: Workflow; types: CheckAnswer["types"] } | null = null;

async function answerTo(workflow: Workflow, signal: AbortSignal): Promise<CheckAnswer> {
  const before = base;
  const change = before && changeOf(before.workflow, workflow);
  if (before && change) {
    try {
      const told = await api.checkChange(before.name, change, signal);
      return learned(workflow, told, before.types);
    } catch (error) {
      // A server that was started anew, or that many others asked since, wants to hear all of it.
      if (!(error instanceof ApiError) || error.code !== "unknown_base") throw error;
    }
  }
  return learned(workflow, await api.check(workflow, signal), {});
}

function learned(
  workflow: Workflow,
  { base: name, gone, problems, runnable, types: changed }: CheckedAnswer,
  before: CheckAnswer["types"],
): CheckAnswer {
  const types = keepEqual(useChecks.getState().answer.types, withChanges(before, changed, gone));
  base = name === null ? null : { name, workflow, types };
  return { problems, types, runnable };
}

let asked: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let atOnce = false; // a question is asked as soon as the code that edits is over
let edited = -PAUSE; // when the last edit was

async function ask(): Promise<void> {
  atOnce = false;
  asked?.abort();
  const mine = new AbortController();
  asked = mine;
  try {
    const { workflow } = activeDocument(useDocuments.getState());
    const answer = await answerTo(workflow, mine.signal);
    if (!mine.signal.aborted) showAnswer(answer);
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error instanceof ApiError)
      useChecks.setState({ trouble: error.status ? error.message : null });
    else throw error;
  }
}

/**
 * After one edit the checker is asked at once, before the page draws it, and after many in a row when
 * they pause.
 */
export function checkSoon(): void {
  clearTimeout(timer);
  if (!useCatalogue.getState().ready || atOnce) return;
  const now = performance.now();
  const idle = now - edited > PAUSE;
  edited = now;
  if (idle) {
    atOnce = true;
    queueMicrotask(() => void ask());
  } else timer = setTimeout(() => void ask(), PAUSE);
}

/** Begin to watch. A change of the layout alone is no reason to ask. */
export function watch(): void {
  useDocuments.subscribe((state, before) => {
    const [now, then] = [activeDocument(state), activeDocument(before)];
    if (now === then) return;
    if (!sameGraph(now.workflow, then.workflow)) checkSoon();
    if (levelKey(now) !== levelKey(then))
      useChecks.setState(ofLevel(useChecks.getState().answer));
  });
  useCatalogue.subscribe((state, before) => {
    const changed = state.ready !== before.ready || state.definitions !== before.definitions;
    if (changed || state.models !== before.models) checkSoon();
  });
  checkSoon();
}
