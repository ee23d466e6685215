/** What the server tells of model files while one is chosen: what fits the wires, and pictures. */

import { useEffect, useState } from "react";
import { create } from "zustand";
import { api, ApiError } from "../api/client";
import type { MisfitsAnswer } from "../api/types";
import { useCatalogue } from "./catalogue";
import { activePrefix, wholeWorkflow } from "./documents";

type Addresses = Readonly<Record<string, string>>;

const useKept = create<{ pictures: Record<string, Addresses> }>()(() => ({ pictures: {} }));

const NONE: Addresses = {};

/** The addresses of small pictures by the models' names: those known at once, then what is new. */
export function useModelPictures(folder: string): Addresses {
  const files = useCatalogue((state) => state.models[folder]);
  useEffect(() => {
    void answered(api.modelPictures(folder)).then((answer) => {
      if (!answer) return;
      const { pictures } = useKept.getState();
      useKept.setState({ pictures: { ...pictures, [folder]: answer.pictures } });
    });
  }, [folder, files]);
  return useKept((state) => state.pictures[folder]) ?? NONE;
}

/** Why files do not fit where the loader stands, by their names; empty until that is known. */
export function useMisfits(node: string, widget: string): Readonly<Record<string, string>> {
  const [reasons, setReasons] = useState<Readonly<Record<string, string>>>(NONE);
  useEffect(() => {
    const mine = new AbortController();
    const question = api.misfits(wholeWorkflow(), activePrefix() + node, widget, mine.signal);
    void answered(question).then((answer) => {
      if (answer && !mine.signal.aborted) setReasons(reasonsOf(answer));
    });
    return () => mine.abort();
  }, [node, widget]);
  return reasons;
}

export function reasonsOf({ misfits }: MisfitsAnswer): Record<string, string> {
  return Object.fromEntries(misfits.map(({ name, reason }) => [name, reason]));
}

/** The answer; null where there is none, since a list without it is a list all the same. */
async function answered<T>(question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    const aborted = error instanceof DOMException && error.name === "AbortError";
    if (aborted || error instanceof ApiError) return null;
    throw error;
  }
}
