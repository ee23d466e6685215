import { describe, expect, it } from "vitest";
import { bordersOf, countWords, encoderKey, readersOf } from "../src/store/tokens";
import { faults, reweighted, runsOf } from "../src/workflow/prompt";

const marked = (text: string) => {
  const start = text.indexOf("[");
  const end = text.indexOf("]") - 1;
  return { text: text.replace(/[[\]]/g, ""), start, end };
};
const shown = (made: ReturnType<typeof reweighted>) =>
  made &&
  `${made.text.slice(0, made.start)}[${made.text.slice(made.start, made.end)}]${made.text.slice(made.end)}`;

describe("the weight keys", () => {
  it.each([
    ["a [red] cat", 0.05, "a ([red]:1.05) cat"],
    ["a ([red]:1.05) cat", 0.05, "a ([red]:1.1) cat"],
    ["a ([red]:1.05) cat", -0.05, "a [red] cat"],
    ["a [(red:1.2)] cat", 0.1, "a ([red]:1.3) cat"],
    ["a ([red]) cat", 0.1, "a ([red]:1.2) cat"],
    ["a r[]ed cat", 0.1, "a ([red]:1.1) cat"],
    ["a[ red cat ]", 0.1, "a ([red cat]:1.1) "],
    ["([red]:0.02)", -0.1, "([red]:0)"],
    ["a embedding:in[]ky, b", 0.05, "a ([embedding:inky]:1.05), b"],
    ["a (embedding:[inky]:1.05)", 0.05, "a ([embedding:inky]:1.1)"],
    ['embedding:"two [wo]rds"', 0.05, '([embedding:"two words"]:1.05)'],
    ["[a embedding:inky]", 0.05, "([a embedding:inky]:1.05)"],
  ])("%s by %d gives %s", (text, change, expected) => {
    expect(shown(reweighted(marked(text), change))).toBe(expected);
  });
  it("do nothing where there is no word", () => {
    expect(reweighted({ text: "a  b", start: 2, end: 2 }, 0.1)).toBeNull();
  });
  it("go back to where they began", () => {
    const begin = { text: "one two three", start: 4, end: 7 };
    let at = begin;
    for (const change of [0.05, 0.05, -0.05, -0.05]) at = reweighted(at, change) ?? at;
    expect(at).toEqual(begin);
  });
});

describe("faulty brackets", () => {
  it.each([
    ["a (red:1.2) \\(cat\\) ((very)) good", []],
    ["a (red", [[2, 3]]],
    ["a red)", [[5, 6]]],
    ["a () b", [[2, 4]]],
    ["(red:1,2)", [[4, 8]]],
    ["(red:)", [[4, 5]]],
    ["(time 12:30)", []],
    ["(see:this)", []],
  ])("of %s are at %j", (text, places) => {
    expect(faults(text).map(({ start, end }) => [start, end])).toEqual(places);
  });
});

it("drawn pieces are the text, with faults and chunk borders where they are", () => {
  const text = "one (two three";
  const runs = runsOf(text, faults(text), [9]);
  expect(runs.map((run) => run.text).join("")).toBe(text);
  expect(runs.filter((run) => run.fault).map((run) => run.text)).toEqual(["("]);
  expect(runs.find((run) => run.chunk === 2)?.text).toBe("three");
});

describe("counts", () => {
  const clip = { encoder: "clip_l", tokens: 80, room: 75, chunks: 2, pieces: [] };
  const t5 = { encoder: "t5xxl", tokens: 90, room: null, chunks: 1, pieces: [] };
  it("are told in few words", () => {
    expect(countWords(clip)).toBe("CLIP-L 80/150, 2 chunks");
    expect(countWords({ ...clip, tokens: 9, chunks: 1 })).toBe("CLIP-L 9/75");
    expect(countWords(t5)).toBe("T5 90");
  });
  it("are of the encoders that read the widget", () => {
    expect(readersOf("text", [clip, t5])).toEqual([clip, t5]);
    expect(readersOf("text_l", [clip, t5])).toEqual([clip]);
    expect(readersOf("t5xxl", [clip, t5])).toEqual([t5]);
  });
  it("have a border before each further chunk", () => {
    const pieces: [number, number, number, number][] = [
      [0, 3, 1, 0],
      [4, 7, 1, 1],
      [8, 9, 1, 1],
      [10, 12, 1, 2],
    ];
    expect(bordersOf({ ...clip, pieces })).toEqual([4, 10]);
  });
});

it("another checkpoint is another encoder, another prompt is not", () => {
  const types = {
    encode: { inputs: [{ name: "clip", term: { kind: "Clip", arguments: [] } }] },
    load: { inputs: [] },
  } as never;
  const flow = (file: string, text: string) =>
    ({
      nodes: {
        a: { type: "load", values: { file }, inputs: {}, mode: "run" },
        b: { type: "encode", values: { text }, inputs: { clip: { node: "a", output: "clip" } } },
      },
    }) as never;
  const key = encoderKey(flow("x", "one"), "b", types);
  expect(encoderKey(flow("x", "two"), "b", types)).toBe(key);
  expect(encoderKey(flow("y", "one"), "b", types)).not.toBe(key);
  expect(encoderKey(flow("x", "one"), "a", types)).toBeNull();
});
