/** Texts in the reader's language. The English sentence is the key, so that none is ever lost. */

export type Table = Readonly<Record<string, string>>;

let table: Table = {};

/** From now on texts come from this table; what it lacks is said in English. */
export function speak(next: Table): void {
  table = next;
}

/** The text in the reader's language, with `{name}` replaced by the value of that name. */
export function t(english: string, values: Readonly<Record<string, unknown>> = {}): string {
  return (table[english] ?? english).replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name] ?? "") : whole,
  );
}

/** One text for one, another for any other number, which is the value `{count}`. */
export function plural(
  count: number,
  one: string,
  many: string,
  values: Readonly<Record<string, unknown>> = {},
): string {
  return t(count === 1 ? one : many, { count, ...values });
}
