import { describe, expect, it } from "vitest";
import { corrected, foretold, memoryWords } from "../src/panels/useForecast";

const plan = (cached: number, to_run: number, seconds: number | null = null) => ({
  cached,
  to_run,
  lazy: 0,
  seconds,
  refused: null,
});

describe("what Run will do", () => {
  it("is said as the server plans it, also where this page has run nothing yet", () => {
    const guess = { cached: 0, toRun: 7, seconds: null };
    expect(foretold(corrected(guess, plan(4, 3)))).toBe("4 cached, 3 to run");
  });

  it("takes as long as the server says, which knows what is cached", () => {
    const guess = { cached: 0, toRun: 7, seconds: 60 };
    expect(foretold(corrected(guess, plan(4, 3, 2)))).toBe("4 cached, 3 to run, about 2.0 s");
    expect(foretold(corrected(guess, plan(6, 1, 0.1)))).toBe("6 cached, 1 to run");
  });

  it("keeps the time where page and server mean the same nodes", () => {
    const guess = { cached: 4, toRun: 3, seconds: 6.2 };
    expect(foretold(corrected(guess, plan(4, 3)))).toBe("4 cached, 3 to run, about 6.0 s");
    expect(foretold(corrected(guess, plan(0, 7)))).toBe("7 to run");
  });

  it("tells the memory that the server estimates, and leaves out what it does not know", () => {
    const guess = { cached: 0, toRun: 7, seconds: null };
    const memory = { models: 6.9e9, at_once: 4.8e9, budget: 8e9 };
    const known = corrected(guess, { ...plan(4, 3), ...memory }).memory;
    expect(known).toEqual({ models: 6.9e9, atOnce: 4.8e9, budget: 8e9 });
    expect(memoryWords(known!)).toMatchObject({ text: "about 6.9 GB of memory", much: false });
    expect(corrected(guess, { ...plan(7, 0), models: 0, budget: 8e9 }).memory).toBeUndefined();
    expect(corrected(guess, plan(4, 3)).memory).toBeUndefined();
  });

  it("warns where the models are more than the worker may take", () => {
    const turns = memoryWords({ models: 12e9, atOnce: 6e9, budget: 8e9 });
    expect(turns).toMatchObject({ text: "about 12.0 GB of memory", much: true });
    expect(turns.about).toContain("models may take 8.0 GB. They take turns");
    const parts = memoryWords({ models: 12e9, atOnce: 10e9, budget: 8e9 });
    expect(parts.about).toContain("One node needs 10.0 GB at once");
    expect(memoryWords({ models: 12e9, atOnce: 10e9, budget: 0 }).much).toBe(false);
  });
});
