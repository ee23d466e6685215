/** The name of an embedding that is being typed into a prompt, and what may complete it. */

import type { Completion, Problem } from "../api/types";
import { ranked } from "../widgets/search";
import type { Fault, Selected } from "./prompt";

/** What is typed of a mention: its characters of the prompt, and the letters of the name so far. */
export interface Typed {
  start: number;
  end: number;
  query: string;
}

const WORD = "embedding:";
const BEFORE =
  /(?<![\p{L}\p{N}_])embedding:(?:"((?:\\[()]|[^"()\n])*)|((?:\\[()]|[^\s,:()"|{}<>[\]])*))$/u;
const REST = /^(?:\\[()]|[^\s,:()"|{}<>[\]])*/;
const QUOTED_REST = /^(?:\\[()]|[^"()\n])*"/;

/** The mention that ends at the cursor, with what stands of its name behind it; null elsewhere. */
export function typedAt(text: string, cursor: number): Typed | null {
  const found = BEFORE.exec(text.slice(0, cursor));
  if (!found) return null;
  const [whole, quoted, bare] = found;
  const behind = text.slice(cursor);
  const rest = quoted === undefined ? REST.exec(behind) : QUOTED_REST.exec(behind);
  return {
    start: cursor - whole.length,
    end: cursor + (rest?.[0].length ?? 0),
    query: quoted ?? bare ?? "",
  };
}

/** The name without the word before it and without quotes, as people know it. */
export function shownName({ text }: Completion): string {
  const name = text.slice(WORD.length).replace(/\\([()])/g, "$1");
  return name.startsWith('"') ? name.slice(1, -1) : name;
}

/** Those that the letters may mean, best first; those that do not fit the prompt come last. */
export function matching(offers: readonly Completion[], query: string): Completion[] {
  const items = offers.map((offer) => ({
    label: shownName(offer),
    words: `${offer.file} ${offer.family ?? ""}`,
    offer,
  }));
  const found = ranked(items, query).map(({ offer }) => offer);
  return [...found.filter(({ against }) => !against), ...found.filter(({ against }) => against)];
}

/** The prompt with the embedding in the place of what was typed of it, and the cursor behind it. */
export function completed(text: string, typed: Typed, offer: Completion): Selected {
  const cursor = typed.start + offer.text.length;
  return {
    text: text.slice(0, typed.start) + offer.text + text.slice(typed.end),
    start: cursor,
    end: cursor,
  };
}

/** Where the checker found fault with embeddings that this prompt names, as long as they stand there. */
export function mentionFaults(problems: readonly Problem[], widget: string, text: string): Fault[] {
  return problems.flatMap(({ socket, message, parameters }) => {
    const { embedding, start, end } = parameters ?? {};
    if (socket !== widget || typeof embedding !== "string") return [];
    if (typeof start !== "number" || typeof end !== "number") return [];
    const still = text.slice(start, end);
    return still.startsWith(WORD) && unescaped(still).includes(embedding)
      ? [{ start, end, message }]
      : [];
  });
}

const unescaped = (text: string) => text.replace(/\\([()])/g, "$1").replace(/\\/g, "/");
