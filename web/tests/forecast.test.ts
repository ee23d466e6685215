import { describe, expect, it } from "vitest";
import { corrected, foretold } from "../src/panels/useForecast";

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
});
