import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "vite";
import { afterEach, describe, expect, it } from "vitest";
import german from "../src/i18n/de.json";
import { plural, speak, t } from "../src/i18n/t";

const SOURCE = join(__dirname, "../src");

interface Ast {
  type: string;
  [field: string]: unknown;
}

/** Which arguments of which functions are texts. */
const CALLS = new Map([
  ["t", [0]],
  ["plural", [1, 2]],
]);

/** The texts that a file gives to `t` and `plural`; one that is reckoned cannot be looked for. */
function textsOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: Ast) => {
    const callee = node.callee as Ast | undefined;
    const names = CALLS.get(String(callee?.name));
    if (node.type === "CallExpression" && names) {
      for (const at of names) {
        const value = (node.arguments as Ast[])[at]?.value;
        if (typeof value === "string") found.push(value);
      }
    }
    for (const child of Object.values(node).flat()) {
      if (child && typeof (child as Ast).type === "string") visit(child as Ast);
    }
  };
  visit(parseAst(readFileSync(file, "utf8"), { lang: "tsx" }) as unknown as Ast);
  return found;
}

const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join(SOURCE, name));
const TEXTS = new Set(FILES.flatMap(textsOf));
const placeholders = (text: string) =>
  [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

describe("texts", () => {
  afterEach(() => speak({}));

  it("are many, or the search for them is broken", () => {
    expect(TEXTS.size).toBeGreaterThan(300);
  });

  it("are all there in German: put the missing ones into src/i18n/de.json", () => {
    const table: Record<string, string> = german;
    expect([...TEXTS].filter((text) => !table[text])).toEqual([]);
  });

  it("are no longer there in German where the source has them no more", () => {
    expect(Object.keys(german).filter((text) => !TEXTS.has(text))).toEqual([]);
  });

  it("have the same places for values in both languages", () => {
    const wrong = Object.entries(german).filter(
      ([text, other]) => String(placeholders(text)) !== String(placeholders(other)),
    );
    expect(wrong).toEqual([]);
  });

  it("are English where a translation is missing, and take values in any order", () => {
    speak({ "{a} before {b}": "{b} nach {a}" });
    expect(t("{a} before {b}", { a: 1, b: 2 })).toBe("2 nach 1");
    expect(t("Never {a}", { a: 1 })).toBe("Never 1");
    expect(plural(1, "one", "{count} of them")).toBe("one");
    expect(plural(3, "one", "{count} of them")).toBe("3 of them");
  });
});
