/** What the server knows: node definitions, spaces, model files, and how its worker is. */

import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { ModelFile, SpacesAnswer, WorkerStatus, WorkflowList } from "../api/types";
import type { Definitions } from "../workflow/model";

interface Catalogue {
  /** The node types that there are, those of the shown workflow's subgraphs included. */
  definitions: Definitions;
  /** Those of the program alone. */
  served: Definitions;
  /** False until /api/nodes has answered: the page says "starting". */
  ready: boolean;
  spaces: SpacesAnswer;
  models: Record<string, ModelFile[]>;
  packs: { name: string; error: string | null }[];
  workflows: WorkflowList;
  worker: WorkerStatus;
  /** False while the event socket is down. */
  connected: boolean;
  /** True once the socket has been open: before that a missing one is no loss. */
  everConnected: boolean;
}

export const useCatalogue = create<Catalogue>()(() => ({
  definitions: {},
  served: {},
  ready: false,
  spaces: { latent: {}, text: {} },
  models: {},
  packs: [],
  workflows: { templates: [], saved: [] },
  worker: { state: "starting" },
  connected: false,
  everConnected: false,
}));

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Ask until the server can answer: 503 means that it is starting, 0 that it is not there yet. */
export async function patiently<T>(question: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await question();
    } catch (error) {
      const wait = error instanceof ApiError && (error.status === 503 || error.status === 0);
      if (!wait) throw error;
      await sleep(Math.min(error.retryAfter, 2));
    }
  }
}

export async function loadDefinitions(): Promise<void> {
  const [{ nodes, packs }, spaces] = await Promise.all([
    patiently(api.nodes),
    patiently(api.spaces),
  ]);
  useCatalogue.setState(({ served, definitions: before }) => {
    const own = Object.entries(before).filter(([type]) => !(type in served)); // of subgraphs
    const all = { ...nodes, ...Object.fromEntries(own) };
    return { definitions: all, served: nodes, packs: packs ?? [], spaces, ready: true };
  });
}

export async function loadModels(): Promise<void> {
  useCatalogue.setState({ models: await patiently(api.models) });
}

export async function loadWorkflows(): Promise<void> {
  useCatalogue.setState({ workflows: await patiently(api.workflows) });
}

export async function loadStatus(): Promise<void> {
  useCatalogue.setState({ worker: (await api.status()).worker });
}

export const definitions = (): Definitions => useCatalogue.getState().definitions;
