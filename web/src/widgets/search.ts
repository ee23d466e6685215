/** Ranked search in short lists: the start of the label first, then of a word, then anywhere. */

interface Searchable {
  label: string;
  words?: string;
}

/** How well the query fits: smaller is better, null is not at all. Every word of the query must be found. */
export function score(item: Searchable, query: string): number | null {
  const label = item.label.toLowerCase();
  const everything = `${label} ${item.words?.toLowerCase() ?? ""}`;
  let total = 0;
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = label.indexOf(word);
    if (at === 0) total += 0;
    else if (at > 0 && /[\s_\-/.(]/.test(label[at - 1] ?? "")) total += 1;
    else if (at > 0) total += 2;
    else if (everything.includes(word)) total += 4;
    else if (isSpread(word, label)) total += 6;
    else if (word.length >= SHORTEST_LOOSE && isLoose(word, label)) total += 9;
    else return null;
  }
  return total;
}

const SHORTEST_LOOSE = 4; // fewer letters are in nearly every name

/** The letters are in the text in their order: "ksmpl" in "ksampler". */
function isLoose(letters: string, text: string): boolean {
  let at = -1;
  return [...letters].every((letter) => (at = text.indexOf(letter, at + 1)) >= 0);
}

/** The letters are beginnings of the words, in order: "lv" and "lova" are in "load vae". */
function isSpread(letters: string, text: string): boolean {
  const words = text.split(/[\s_\-/.(]+/);
  let taken = new Set([0]); // how many letters may be used up after each word
  for (const word of words) {
    const next = new Set(taken);
    for (const start of taken) {
      for (let end = start; end < letters.length && letters[end] === word[end - start]; end++)
        next.add(end + 1);
    }
    taken = next;
  }
  return taken.has(letters.length);
}

/** The items that fit the query, best first; without a query all, in their own order. */
export function ranked<T extends Searchable>(items: readonly T[], query: string): T[] {
  if (!query.trim()) return [...items];
  return items
    .map((item) => ({ item, rank: score(item, query) }))
    .filter((entry): entry is { item: T; rank: number } => entry.rank !== null)
    .sort((a, b) => a.rank - b.rank || a.item.label.length - b.item.label.length)
    .map(({ item }) => item);
}
