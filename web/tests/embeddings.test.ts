import { describe, expect, it } from "vitest";
import type { Completion, Problem } from "../src/api/types";
import { merged } from "../src/inspect/Prompt";
import { completed, matching, mentionFaults, shownName, typedAt } from "../src/workflow/embeddings";

const offer = (text: string, against = ""): Completion => ({
  file: `${text.slice("embedding:".length)}.safetensors`,
  text,
  family: "sd15",
  spaces: ["sd1"],
  vectors: 1,
  against,
});

/** The cursor is at the bar. */
const typed = (marked: string) => {
  const at = marked.indexOf("|");
  const text = marked.replace("|", "");
  const found = typedAt(text, at);
  return found && [text.slice(found.start, found.end), found.query];
};

describe("what is typed of an embedding's name", () => {
  it.each([
    ["a embedding:|", ["embedding:", ""]],
    ["a embedding:in|", ["embedding:in", "in"]],
    ["(embedding:in|ky:1.2)", ["embedding:inky", "in"]],
    ["embedding:styles/in|, b", ["embedding:styles/in", "styles/in"]],
    ['embedding:"two wo|rds" b', ['embedding:"two words"', "two wo"]],
    ["embedding:in\\(2|\\)", ["embedding:in\\(2\\)", "in\\(2"]],
  ])("is found in %s", (marked, expected) => expect(typed(marked)).toEqual(expected));
  it.each(["embed|", "a embedding: |", "embedding:inky |", "embedding:inky,|", "myembedding:in|"])(
    "is not there in %s",
    (marked) => expect(typed(marked)).toBeNull(),
  );
});

it("what is offered is ranked by the letters, and what does not fit comes last", () => {
  const offers = [offer("embedding:ink-xl", "for SDXL"), offer("embedding:oil"), offer("embedding:pink")];
  expect(matching(offers, "ink").map(shownName)).toEqual(["pink", "ink-xl"]);
  expect(matching(offers, "").map(shownName)).toEqual(["oil", "pink", "ink-xl"]);
  expect(matching(offers, "nothing")).toEqual([]);
});

it("a completion takes the place of the whole name, and the cursor stands behind it", () => {
  const text = "a (embedding:ixx:1.2)";
  const at = typedAt(text, 14);
  const made = at && completed(text, at, offer('embedding:"two words"'));
  expect(made?.text).toBe('a (embedding:"two words":1.2)');
  expect(made?.text.slice(0, made.start)).toBe('a (embedding:"two words"');
});

it("names are shown without quotes and backslashes", () => {
  expect(shownName(offer('embedding:"two words"'))).toBe("two words");
  expect(shownName(offer("embedding:a\\(2\\)"))).toBe("a(2)");
});

describe("what the checker found of a mention", () => {
  const problem = {
    code: "missing_embedding",
    severity: "error",
    node: "2",
    socket: "text",
    message: "It is not there.",
    parameters: { embedding: "inky", start: 2, end: 16 },
    because: [],
    fixes: [],
  } as Problem;
  it("is underlined where it stands", () => {
    expect(mentionFaults([problem], "text", "a embedding:inky")).toEqual([
      { start: 2, end: 16, message: "It is not there." },
    ]);
  });
  it("is not underlined in another prompt, or once the text is another one", () => {
    expect(mentionFaults([problem], "text_l", "a embedding:inky")).toEqual([]);
    expect(mentionFaults([problem], "text", "and embedding:inky")).toEqual([]);
    expect(mentionFaults([problem], "text", "a embedding:oily")).toEqual([]);
  });
});

it("the vectors of one embedding are one piece of the prompt that was read", () => {
  const pieces: [number, number, number, number][] = [
    [0, 1, 1, 0],
    [2, 16, 1.2, 0],
    [2, 16, 1.2, 0],
    [17, 20, 1, 0],
  ];
  expect(merged(pieces).map(({ start, count }) => [start, count])).toEqual([
    [0, 1],
    [2, 2],
    [17, 1],
  ]);
});
