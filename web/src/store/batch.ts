/** The batch that is being made ready: what varies in it, and what it would be. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { BatchPlan, BatchRequest, Place } from "../api/queue";
import { type AxisDraft, axesOf, axisIn, newAxis, Unfinished } from "../workflow/batch";
import { outermost } from "../workflow/inner";
import { type Varying, varyingAt, varyingWidgets } from "../workflow/varying";
import { definitions, useCatalogue } from "./catalogue";
import { activeDocument, useDocuments, wholeWorkflow } from "./documents";
import { lookAtQueueSoon } from "./queue";
import { notify, ui } from "./ui";
import { t } from "../i18n/t";

interface Batch {
  /** The document that the drafts are for. */
  of: string;
  drafts: AxisDraft[];
  name: string;
  stopOnError: boolean;
  plan: BatchPlan | null;
  /** Why there is no plan yet, for people, and the axis that it is about. */
  missing: string;
  missingAt: number | null;
}

export const useBatch = create<Batch>()(() => ({
  of: "",
  drafts: [],
  name: "",
  stopOnError: false,
  plan: null,
  missing: "",
  missingAt: null,
}));

const batch = useBatch.setState;

export const varying = (): Varying[] => varyingWidgets(wholeWorkflow(), definitions());

/** The files of a models folder, by name. */
export function filesIn(folder: string): string[] {
  return (useCatalogue.getState().models[folder] ?? []).map(({ name }) => name);
}

/** A seed, which people vary most, or else another value of the node `near`, or else the first. */
const likely = (all: readonly Varying[], near?: string): Varying | undefined =>
  all.find(({ widget }) => widget.control === "seed") ??
  all.find(({ place }) => place.node === near) ??
  all[0];

/**
 * Open the dialog for a widget, or else for the likely one. What was written there for this
 * workflow is still there.
 */
export function openBatch(at?: Place): void {
  const all = varying();
  const first =
    (at && (varyingAt(all, at) ?? varyingAt(all, outermost(wholeWorkflow(), at)))) ?? likely(all);
  if (!first)
    return notify("info", t("This workflow has no values that could vary. Add a node first."));
  const document = activeDocument(useDocuments.getState());
  const { drafts, of } = useBatch.getState();
  const known = of === document.id ? drafts.filter((draft) => varyingAt(all, draft.at)) : [];
  const isNew = !known.some((draft) => varyingAt([first], draft.at));
  const next = known.length && !at ? known : isNew ? [...known, newAxis(first)] : known;
  batch({ of: document.id, drafts: next, name: document.name, plan: null, missing: "" });
  ui({ sheet: { kind: "batch" } });
}

export function setDraft(key: number, change: Partial<AxisDraft>): void {
  batch(({ drafts }) => ({
    drafts: drafts.map((draft) => (draft.key === key ? { ...draft, ...change } : draft)),
  }));
}

/** Let another widget vary in an axis; what was written for the old one is of no use to it. */
export function aimDraft(key: number, at: Varying): void {
  batch(({ drafts }) => ({
    drafts: drafts.map((draft) =>
      draft.key === key ? { ...newAxis(at), key, together: draft.together } : draft,
    ),
  }));
}

export function addDraft(): void {
  const { drafts } = useBatch.getState();
  const taken = new Set(drafts.map(({ at }) => `${at.node} ${at.widget}`));
  const left = varying().filter(({ place }) => !taken.has(`${place.node} ${place.widget}`));
  const free = likely(left, drafts.at(-1)?.at.node);
  if (free) batch({ drafts: [...drafts, newAxis(free)] });
}

export function removeDraft(key: number): void {
  batch(({ drafts }) => {
    const left = drafts.filter((draft) => draft.key !== key);
    // The first one has none above it to go with.
    return { drafts: left.map((d, index) => (index === 0 ? { ...d, together: false } : d)) };
  });
}

function request(): BatchRequest {
  const { drafts, name, stopOnError } = useBatch.getState();
  return {
    workflow: wholeWorkflow(),
    recipe: { axes: axesOf(drafts, varying(), filesIn) },
    name,
    on_error: stopOnError ? "stop" : "continue",
  };
}

/** Say why there is no batch, at the axis that it is about. Any other error is a fault of ours. */
function told(error: unknown): void {
  const { drafts } = useBatch.getState();
  if (error instanceof Unfinished)
    return batch({ plan: null, missing: error.message, missingAt: error.key ?? null });
  if (!(error instanceof ApiError)) throw error;
  const missing = error.problems.map(({ message }) => message).join(" ") || error.message;
  batch({ plan: null, missing, missingAt: axisIn(missing, drafts, varying()) });
}

let planning = 0;

/** Ask what the batch would be. Of several questions the last one's answer counts. */
export async function planBatch(): Promise<void> {
  const mine = ++planning;
  try {
    const plan = await api.planBatch(request());
    if (mine === planning) batch({ plan, missing: "", missingAt: null });
  } catch (error) {
    if (mine === planning) told(error);
  }
}

/** Queue the batch and show its grid; the dialog stays open where it is refused. */
export async function queueBatch(): Promise<void> {
  try {
    const { id } = await api.addBatch(request());
    lookAtQueueSoon();
    ui({ sheet: { kind: "grid", batch: id } });
  } catch (error) {
    told(error);
  }
}
