/** No text that a person sees or hears is written into the page without going through `t`. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAst } from "vite";
import { describe, expect, it } from "vitest";

const SOURCE = join(__dirname, "../src");

interface Ast {
  type: string;
  [field: string]: unknown;
}

/** Attributes and properties whose value is shown or read out. */
const SHOWN = new Set([
  "alt",
  "aria-description",
  "aria-label",
  "aria-placeholder",
  "aria-roledescription",
  "aria-valuetext",
  "empty",
  "heading",
  "label",
  "lead",
  "placeholder",
  "title",
  "word",
]);

/** Functions that say one of their arguments. */
const SAYING: Readonly<Record<string, number>> = { announce: 0, notify: 1 };

/** Texts that are the same in every language: names of languages, keys, formats, the program. */
const NAMES =
  /^(,? ?#rrggbb|English|Deutsch|Latent Loom|Esc|Enter|Ctrl|Shift|Alt|PNG|HTML|JSON|CSV|CFG|LoRA|VAE|CLIP|RGB|Markdown)$/;

/** Whether the text has a word; a sign, a unit or a single letter is none. */
const isWord = (text: string) => /\p{L}{3,}/u.test(text) && !NAMES.test(text.trim());

/** The literal texts that an expression can come to. What a function makes of one is its own. */
function literals(node: Ast | null | undefined): string[] {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string" ? [node.value] : [];
    case "TemplateLiteral":
      return [
        ...(node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked),
        ...(node.expressions as Ast[]).flatMap(literals),
      ];
    case "ConditionalExpression":
      return [...literals(node.consequent as Ast), ...literals(node.alternate as Ast)];
    case "LogicalExpression": {
      const left = node.operator === "&&" ? [] : literals(node.left as Ast);
      return [...left, ...literals(node.right as Ast)];
    }
    case "BinaryExpression":
      return node.operator === "+"
        ? [...literals(node.left as Ast), ...literals(node.right as Ast)]
        : [];
    case "ArrayExpression":
      return (node.elements as (Ast | null)[]).flatMap(literals);
    case "CallExpression": {
      // ["a", b && "c"].filter(Boolean).join(", ")
      const callee = node.callee as Ast;
      return callee.type === "MemberExpression" ? literals(callee.object as Ast) : [];
    }
    case "JSXExpressionContainer":
    case "ParenthesizedExpression":
    case "TSAsExpression":
      return literals(node.expression as Ast);
    default:
      return [];
  }
}

const nameOf = (node: unknown) => {
  const { name, value } = (node ?? {}) as { name?: unknown; value?: unknown };
  return String(name ?? value ?? "");
};

/** Whether a literal outside of what is surely shown reads like a sentence, or a piece of one. */
const isSentence = (text: string) =>
  /^\p{Lu}\p{Ll}+ .*\p{Ll}/u.test(text) || /\p{L}{2,} \p{Ll}{2,}.*\.$/u.test(text);
const isPiece = (text: string) =>
  /^[ ,;(]+\p{Ll}{2,}|\p{Ll}{3,} $/u.test(text) && !/^[a-z]+\(|px|%/.test(text);

/** What may read like a sentence and is seen by no reader: keys, classes, errors of ours. */
function isHidden(node: Ast): boolean {
  const key = nameOf(node.key ?? node.name);
  switch (node.type) {
    case "ImportDeclaration":
    case "ThrowStatement":
      return true;
    case "CallExpression":
      return /^(t|plural)$/.test(nameOf(node.callee));
    case "NewExpression":
      return /Error$/.test(nameOf(node.callee));
    case "JSXAttribute":
    case "Property":
      return /^(className|d|id|key|words|data-.*|aria-(controls|activedescendant))$/.test(key);
    case "BinaryExpression":
      return /==/.test(String(node.operator));
    default:
      return node.type.startsWith("TS");
  }
}

/** The sentences of a file that are put together, or stand where the rules above do not look. */
export function sentencesOf(source: string): string[] {
  const found: string[] = [];
  const visit = (node: Ast) => {
    if (isHidden(node)) return;
    if (node.type === "CallExpression" && nameOf((node.callee as Ast).property) === "join") {
      const between = (node.arguments as Ast[]).flatMap(literals);
      found.push(...between.filter((text) => / \p{Ll}{2,} /u.test(text)));
    }
    if (node.type === "Literal" && isSentence(String(node.value))) found.push(String(node.value));
    if (node.type === "TemplateElement") {
      const text = (node.value as { cooked: string }).cooked;
      if (isSentence(text) || isPiece(text)) found.push(text);
    }
    for (const child of Object.values(node).flat())
      if (typeof (child as Ast | null)?.type === "string") visit(child as Ast);
  };
  visit(parseAst(source, { lang: "tsx" }) as unknown as Ast);
  return found;
}

/** The texts of a file that are shown as they stand there. */
export function shownAsWritten(source: string): string[] {
  const found: string[] = [];
  const visit = (node: Ast) => {
    switch (node.type) {
      case "JSXElement":
        if (/^(kbd|code)$/.test(nameOf((node.openingElement as Ast).name))) return;
        break;
      case "JSXText":
        found.push(String(node.value));
        break;
      case "JSXExpressionContainer":
        if (node.isChild) found.push(...literals(node));
        break;
      case "JSXAttribute":
        if (SHOWN.has(nameOf(node.name))) found.push(...literals(node.value as Ast));
        break;
      case "Property":
        if (SHOWN.has(nameOf(node.key))) found.push(...literals(node.value as Ast));
        break;
      case "CallExpression":
        if (nameOf(node.callee) in SAYING) {
          const said = SAYING[nameOf(node.callee)] ?? 0;
          found.push(...literals((node.arguments as Ast[])[said]));
        }
        break;
    }
    for (const [field, value] of Object.entries(node)) {
      for (const child of [value].flat()) {
        if (typeof (child as Ast | null)?.type !== "string") continue;
        if (field === "children") (child as Ast).isChild = true;
        visit(child as Ast);
      }
    }
  };
  visit(parseAst(source, { lang: "tsx" }) as unknown as Ast);
  return found.map((text) => text.trim()).filter(isWord);
}

const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join(SOURCE, name));

/** Keys of lists and names of sounds, which nobody reads, and units. */
const UNSEEN = new Set([
  "nodes/NodeTitle.tsx:  min ",
  "panels/Palette.tsx: tab ",
  "panels/Palette.tsx: saved ",
  "panels/Palette.tsx: template ",
  "store/alerts.ts: tone ",
  "workflow/batch.ts: group ",
  "workflow/timeLeft.ts:  min",
]);

describe("visible text", () => {
  it("goes through t() everywhere, so that it can be in another language", () => {
    const wrong = FILES.flatMap((file) =>
      shownAsWritten(readFileSync(file, "utf8")).map((text) => `${relative(SOURCE, file)}: ${text}`),
    );
    expect(FILES.length).toBeGreaterThan(150);
    expect(wrong).toEqual([]);
  });

  it("is not put together from pieces anywhere else", () => {
    const wrong = FILES.flatMap((file) =>
      sentencesOf(readFileSync(file, "utf8")).map((text) => `${relative(SOURCE, file)}: ${text}`),
    );
    expect(wrong.filter((text) => !UNSEEN.has(text))).toEqual([]);
    expect(sentencesOf('const words = `${count} left`; go("Nothing is left.");')).toHaveLength(2);
  });

  it.each([
    ["<p>Hello there</p>", "Hello there"],
    ['<p>{busy ? "Working" : null}</p>', "Working"],
    ['<p>{busy && "Working"}</p>', "Working"],
    ["<p>{`of ${name} things`}</p>", "things"],
    ['<img alt="A picture" />', "A picture"],
    ["<i title={`Close ${name}`} />", "Close"],
    ['<i aria-label={[name, on && "chosen"].filter(Boolean).join(", ")} />', "chosen"],
    ['const row = { title: "Another row" };', "Another row"],
    ['announce("All done");', "All done"],
  ])("is found in %s", (source, text) => {
    expect(shownAsWritten(source)).toContain(text);
  });

  it.each([
    '<p className="a b">{t("Hello there")}</p>',
    "<kbd>Enter</kbd>",
    '<i title={`${name}: ${t("closed")}`} />',
    '<input type="number" placeholder="0" />',
    'const row = { id: "another", run: () => go("there") };',
  ])("is not seen in %s", (source) => {
    expect(shownAsWritten(source)).toEqual([]);
  });
});
