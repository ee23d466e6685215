/** Sums typed into a number field: "512*1.5", "(3+1)/2", "2^10", "50%". */

const TOKEN = /\s*(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[-+*/^%()])/iy;

class Reader {
  private readonly tokens: string[] = [];
  private at = 0;

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    const source = text.trim();
    while (TOKEN.lastIndex < source.length) {
      const found = TOKEN.exec(source);
      if (!found?.[1]) throw new SyntaxError(text);
      this.tokens.push(found[1]);
    }
  }

  get done(): boolean {
    return this.at >= this.tokens.length;
  }

  take(...wanted: string[]): string | undefined {
    const token = this.tokens[this.at];
    if (token === undefined || !wanted.includes(token)) return undefined;
    this.at++;
    return token;
  }

  number(): number {
    const value = Number(this.tokens[this.at++]);
    if (Number.isNaN(value)) throw new SyntaxError("a number was expected");
    return value;
  }
}

function sum(reader: Reader): number {
  let value = product(reader);
  for (let sign = reader.take("+", "-"); sign; sign = reader.take("+", "-")) {
    const right = product(reader);
    value = sign === "+" ? value + right : value - right;
  }
  return value;
}

function product(reader: Reader): number {
  let value = signed(reader);
  for (let sign = reader.take("*", "/"); sign; sign = reader.take("*", "/")) {
    const right = signed(reader);
    value = sign === "*" ? value * right : value / right;
  }
  return value;
}

function signed(reader: Reader): number {
  if (reader.take("-")) return -signed(reader);
  if (reader.take("+")) return signed(reader);
  return power(reader);
}

function power(reader: Reader): number {
  const base = percent(reader);
  return reader.take("^") ? base ** signed(reader) : base;
}

function percent(reader: Reader): number {
  const value = atom(reader);
  return reader.take("%") ? value / 100 : value;
}

function atom(reader: Reader): number {
  if (!reader.take("(")) return reader.number();
  const value = sum(reader);
  if (!reader.take(")")) throw new SyntaxError("a bracket is open");
  return value;
}

/** The value of a typed sum, or null where it is none or not finite. A comma may be the decimal sign. */
export function evaluate(text: string): number | null {
  try {
    const reader = new Reader(text.replace(",", ".").replace(/×/g, "*").replace(/÷/g, "/"));
    const value = sum(reader);
    return reader.done && Number.isFinite(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
