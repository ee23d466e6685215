/** How the wired text encoders read a prompt: asked for once typing pauses, and remembered. */

import { useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { EncoderCount, TokensAnswer } from "../api/types";
import { useCatalogue } from "./catalogue";
import { activePrefix, useActive, wholeWorkflow } from "./documents";
import { definitions } from "./catalogue";
import type { Definitions, Placed } from "../workflow/model";
import { subgraphOf } from "../workflow/subgraphs";
import { t } from "../i18n/t";

const PAUSE = 300; // milliseconds without a change before the server is asked
const REMEMBERED = 200;

const NAMED = /embedding:/;

const known = new Map<string, TokensAnswer>();
let line: Promise<unknown> = Promise.resolve(); // one question at a time, however many prompts

/** What the text encoder of a node hangs on, as text; null where none is wired. */
export function encoderKey(workflow: Placed, id: string, types: Definitions): string | null {
  if (subgraphOf(workflow.nodes[id]?.type) !== null) return null; // it is counted inside
  const seen: string[] = [];
  let at = id;
  for (;;) {
    const node = workflow.nodes[at];
    const clip = node && types[node.type]?.inputs.find(({ term }) => term.kind === "Clip");
    const wire = clip && node.inputs[clip.name];
    if (!wire || seen.length > 50) break;
    at = wire.node;
    const source = workflow.nodes[at];
    seen.push(JSON.stringify([source?.type, source?.values, source?.mode, wire.output]));
  }
  return seen.length ? seen.join() : null;
}

export function useTokens(node: string, text: string): TokensAnswer | null {
  const ready = useCatalogue((state) => state.worker.state !== "starting" && state.ready);
  const encoder = useActive(({ workflow }) => encoderKey(workflow, node, definitions()));
  // What an embedding takes of a prompt changes with its file.
  const files = useCatalogue(({ models }) => (NAMED.test(text) ? models.embeddings : undefined));
  const key = `${encoder}\0${text}\0${files?.map(({ content }) => content).join() ?? ""}`;
  const [answer, setAnswer] = useState<{ key: string; answer: TokensAnswer } | null>(null);
  useEffect(() => {
    if (!encoder || !ready) return;
    let gone = false;
    const ask = async () => {
      if (gone) return;
      const told = known.get(key) ?? (await counted(node, text));
      if (!told) return;
      remember(key, told);
      if (!gone) setAnswer({ key, answer: told });
    };
    const timer = setTimeout(() => (line = line.then(ask, ask)), known.has(key) ? 0 : PAUSE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [encoder, ready, key, node, text]);
  // What was counted of an earlier text stays until the new count is there, so that nothing flickers.
  return encoder ? (answer?.answer ?? null) : null;
}

async function counted(node: string, text: string): Promise<TokensAnswer | null> {
  try {
    return await api.tokens(wholeWorkflow(), activePrefix() + node, text);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return null; // the worker starts, or the node is gone: the next change asks again
  }
}

function remember(key: string, answer: TokensAnswer): void {
  known.delete(key);
  known.set(key, answer);
  const oldest = known.keys().next();
  if (known.size > REMEMBERED && !oldest.done) known.delete(oldest.value);
}

const ENCODERS: Record<string, string> = {
  clip_l: "CLIP-L",
  clip_g: "CLIP-G",
  clip_h: "CLIP-H",
  t5xxl: "T5",
  mistral_small: "Mistral",
  qwen3_4b: "Qwen3",
  qwen3_8b: "Qwen3",
};

export const encoderName = (id: string) => ENCODERS[id] ?? id;

/** A count in few words: "CLIP-L 9/75", and with the chunks where there are several. */
export function countWords({ encoder, tokens, room, chunks }: EncoderCount): string {
  const name = encoderName(encoder);
  if (room === null) return `${name} ${tokens}`;
  const all = `${name} ${tokens}/${room * chunks}`;
  return chunks > 1 ? t("{all}, {chunks} chunks", { all, chunks }) : all;
}

/** The encoders that read this widget: SDXL's "text_l" is read by CLIP-L alone, "text" by all. */
export function readersOf(widget: string, encoders: readonly EncoderCount[]): EncoderCount[] {
  const named = encoders.filter(
    ({ encoder }) => widget === encoder || widget === encoder.replace(/^clip/, "text"),
  );
  return named.length ? named : [...encoders];
}

/** Where in the prompt each further chunk of an encoder begins. */
export function bordersOf({ pieces }: EncoderCount): number[] {
  const found: number[] = [];
  for (const [start, , , chunk] of pieces) if (chunk > found.length) found.push(start);
  return found;
}
