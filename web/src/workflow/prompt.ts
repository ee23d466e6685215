/** A prompt as text: its brackets and the weight keys. */

import { t } from "../i18n/t";

export interface Fault {
  /** Characters of the prompt, for the underline. */
  start: number;
  end: number;
  message: string;
}

export interface Selected {
  text: string;
  start: number;
  end: number;
}

const SMALLEST = 0;
const LARGEST = 10;

/** What is wrong with the brackets. The encoder reads such a bracket as a character like any other. */
export function faults(text: string): Fault[] {
  const found: Fault[] = [];
  const open: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "(") open.push(at);
    else if (text[at] === ")") {
      const begin = open.pop();
      if (begin === undefined)
        found.push({ start: at, end: at + 1, message: t("This bracket was never opened.") });
      else found.push(...inside(text, begin, at));
    }
  }
  for (const at of open)
    found.push({ start: at, end: at + 1, message: t("This bracket is never closed.") });
  return found.sort((a, b) => a.start - b.start);
}

/** What is wrong between two brackets that belong together. */
function inside(text: string, begin: number, end: number): Fault[] {
  const words = text.slice(begin + 1, end);
  if (!words.trim())
    return [{ start: begin, end: end + 1, message: t("There is nothing between the brackets.") }];
  const weight = /:\s*([^:()\s]*)\s*$/.exec(words);
  if (!weight || isNumber(weight[1] ?? "") || !/^[\d.,+-]*$/.test(weight[1] ?? "")) return [];
  const start = begin + 1 + weight.index;
  return [
    {
      start,
      end,
      message: t("A weight is a number, such as {words}:1.2.", {
        words: words.slice(0, weight.index),
      }),
    },
  ];
}

const isNumber = (text: string) => text !== "" && Number.isFinite(Number(text));

const isWord = (character: string | undefined) =>
  character !== undefined && !/[\s,.;:()\\]/.test(character);

const MENTION =
  /(?<![\p{L}\p{N}_])embedding:(?:"(?:\\[()]|[^"()\n])+"|(?:\\[()]|[^\s,:()"|{}<>[\]])+)/gu;

/** The selection, or what is at the cursor where nothing is selected: a word, or an embedding's whole name. */
function meant({ text, start, end }: Selected): [number, number] {
  for (const { 0: whole, index } of text.matchAll(MENTION))
    if (start >= index && end <= index + whole.length) return [index, index + whole.length];
  if (start === end) {
    while (start > 0 && isWord(text[start - 1])) start--;
    while (end < text.length && isWord(text[end])) end++;
  }
  while (start < end && text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  return [start, end];
}

/** The brackets right around a part of the text, and their weight. */
function around(text: string, start: number, end: number) {
  const before = text.slice(0, start);
  const behind = /^:\s*(\d*\.?\d+)\s*\)|^\)/.exec(text.slice(end));
  if (!before.endsWith("(") || before.endsWith("\\(") || !behind) return null;
  const weight = behind[1] === undefined ? 1.1 : Number(behind[1]);
  return { from: start - 1, to: end + behind[0].length, weight };
}

/** The text with the selection's weight changed; a weight of 1 needs no brackets. */
export function reweighted(selected: Selected, change: number): Selected | null {
  const { text } = selected;
  let [start, end] = meant(selected);
  if (start === end) return null;
  // The brackets themselves may be selected.
  const own = /^\(([^()]*?)(?::\s*\d*\.?\d+\s*)?\)$/.exec(text.slice(start, end));
  if (own) {
    start += 1;
    end = start + (own[1]?.length ?? 0);
  }
  const bracket = around(text, start, end);
  const words = text.slice(start, end);
  const weight = Math.min(LARGEST, Math.max(SMALLEST, (bracket?.weight ?? 1) + change));
  const rounded = Math.round(weight * 100) / 100;
  const written = rounded === 1 ? words : `(${words}:${rounded})`;
  const from = bracket?.from ?? start;
  const to = bracket?.to ?? end;
  const begin = from + (rounded === 1 ? 0 : 1);
  return {
    text: text.slice(0, from) + written + text.slice(to),
    start: begin,
    end: begin + words.length,
  };
}

/** A prompt's text in pieces that are drawn alike: with a fault or not, and where chunks begin. */
export interface Run {
  text: string;
  fault: string | null;
  /** The chunk that begins before this piece, counted from 2. */
  chunk: number | null;
}

export function runsOf(text: string, wrong: readonly Fault[], borders: readonly number[]): Run[] {
  const cuts = new Set([0, text.length, ...borders.filter((at) => at <= text.length)]);
  for (const { start, end } of wrong) cuts.add(start).add(end);
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, index) => {
    const end = sorted[index + 1] ?? text.length;
    const border = borders.indexOf(start);
    return {
      text: text.slice(start, end),
      fault: wrong.find((fault) => fault.start <= start && fault.end >= end)?.message ?? null,
      chunk: border < 0 ? null : border + 2,
    };
  });
}
