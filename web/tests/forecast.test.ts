import { describe, expect, it } from "vitest";
import { corrected, foretold } from "../src/panels/useForecast";

const plan = (cached: number, to_run: number) => ({ cached, to_run, lazy: 0, refused: null });

describe("what Run will do", () => {
  it("is said as the server plans it, also where this page has run nothing yet", () => {
    const guess = { cached: 0, toRun: 7, seconds: null };
    expect(foretold(corrected(guess, plan(4, 3)))).toBe("4 cached, 3 to run");
  });

  it("keeps the time where page and server mean the same nodes", () => {
    const guess = { cached: 4, toRun: 3, seconds: 6.2 };
    expect(foretold(corrected(guess, plan(4, 3)))).toBe("4 cached, 3 to run, about 6.0 s");
    expect(foretold(corrected(guess, plan(0, 7)))).toBe("7 to run");
  });
});
