import { expect, it } from "vitest";
import { timeline, totals } from "../src/workflow/timeline";

const RUN = {
  load: { state: "cached", seconds: 9 },
  sample: { state: "finished", seconds: 3, memory: 500 },
  decode: { state: "finished", seconds: 1, memory: 700 },
  save: { state: "failed", seconds: 0.5 },
  never: { state: "waiting" },
} as const;

it("each node begins where the one before has ended, and what was cached took no time", () => {
  const bars = timeline(RUN);
  expect(bars.map(({ node, begin, seconds }) => [node, begin, seconds])).toEqual([
    ["load", 0, 0],
    ["sample", 0, 3],
    ["decode", 3, 1],
    ["save", 4, 0.5],
  ]);
});

it("totals tell time, nodes, cache hits and the most memory", () => {
  expect(totals(timeline(RUN))).toEqual({ seconds: 4.5, ran: 3, cached: 1, memory: 700 });
  expect(totals([])).toEqual({ seconds: 0, ran: 0, cached: 0, memory: null });
});
