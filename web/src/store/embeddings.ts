/** The embeddings that a prompt may name: asked for while one is typed, and after files changed. */

import { useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Completion } from "../api/types";
import { useCatalogue } from "./catalogue";
import { activePrefix, wholeWorkflow } from "./documents";

/** Those for the prompt in a node's widget; null until they are known, or while nobody asks. */
export function useEmbeddings(node: string, prompt: string, asked: boolean): Completion[] | null {
  const files = useCatalogue((state) => state.models.embeddings);
  const [found, setFound] = useState<Completion[] | null>(null);
  useEffect(() => {
    if (!asked) return;
    const mine = new AbortController();
    const ask = async () => {
      try {
        const where = activePrefix() + node;
        const answer = await api.embeddings(wholeWorkflow(), where, prompt, mine.signal);
        if (!mine.signal.aborted) setFound(answer.embeddings);
      } catch (error) {
        if (mine.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error; // the next letter asks again
      }
    };
    void ask();
    return () => mine.abort();
  }, [asked, node, prompt, files]);
  return asked ? found : null;
}
