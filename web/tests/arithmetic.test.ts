import { describe, expect, it } from "vitest";
import { evaluate } from "../src/workflow/arithmetic";

describe("sums in number fields", () => {
  it.each([
    ["512", 512],
    ["512*1.5", 768],
    ["(3+1)/2", 2],
    ["2^10", 1024],
    ["-3 + 5", 2],
    ["10 - 2 - 3", 5],
    ["50%", 0.5],
    ["1,5", 1.5],
    ["1e3", 1000],
    ["2*-3", -6],
    ["-2^2", -4],
    ["2^3^2", 512],
    [" .5 ", 0.5],
  ])("%s is %d", (text, value) => expect(evaluate(text)).toBe(value));

  it.each(["", "abc", "1+", "(1", "1/0", "1 2", "alert(1)", "--", "1..2"])("%j is no sum", (text) =>
    expect(evaluate(text)).toBeNull(),
  );
});
