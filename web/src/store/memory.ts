/** Which models the workers have loaded, freeing them, and what was done otherwise than asked. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { MemoryAnswer } from "../api/types";
import { notify } from "./ui";
import { plural, t } from "../i18n/t";

interface Memory {
  report: MemoryAnswer | null;
  /** Why there is no report, for people. */
  trouble: string;
  /** The newest notes of runs, the last one first. */
  notes: string[];
}

const NOTES = 5; // that are kept

export const useMemory = create<Memory>()(() => ({ report: null, trouble: "", notes: [] }));

async function learn(question: () => Promise<MemoryAnswer>): Promise<MemoryAnswer | null> {
  try {
    const report = await question();
    useMemory.setState({ report, trouble: "" });
    return report;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    useMemory.setState({ report: null, trouble: error.message });
    return null;
  }
}

export async function lookAtMemory(): Promise<void> {
  await learn(api.memory);
}

/**
 * Let go of models, of all where none is named; `results`: of kept results, too. `worker` is the
 * number of the one that does; null: each.
 */
export async function freeMemory(
  models: string[] | null = null,
  results = false,
  worker: number | null = null,
): Promise<void> {
  const report = await learn(() => api.freeMemory(models, results, worker));
  if (!report) notify("error", useMemory.getState().trouble);
  else notify("info", freedSentence(report), undefined, "memory");
}

/** What was let go of, and what was not. */
export function freedSentence({ workers }: MemoryAnswer): string {
  const freed = workers.reduce((sum, worker) => sum + worker.freed, 0);
  const models = workers.flatMap((worker) => worker.models);
  const used = models.filter((model) => model.in_use).length;
  const stay = plural(used, "One model is in use.", "{count} models are in use.");
  const words =
    freed > 0 ? t("Freed {size}.", { size: sizeInWords(freed) }) : t("There was nothing to free.");
  return used > 0 ? `${words} ${stay}` : words;
}

export function takeNote(message: string): void {
  notify("info", message, undefined, message);
  useMemory.setState(({ notes }) => ({
    notes: [message, ...notes.filter((note) => note !== message)].slice(0, NOTES),
  }));
}

/** Bytes for people: "340 MB", "1.5 GB". */
export function sizeInWords(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${bytes > 0 && bytes < 1e6 ? "<1" : Math.round(bytes / 1e6)} MB`;
}

/** What a part of a model file is called; what follows the name says how it was loaded. */
export function partTitle(part: string): string {
  if (part.startsWith("model")) return t("Diffusion model");
  return part.startsWith("vae") ? "VAE" : t("Text encoder");
}
