import { describe, expect, it } from "vitest";
import { setValue } from "../src/workflow/edits";
import {
  drawSeed,
  isFixed,
  packSeed,
  readSeed,
  seedMode,
  setFixed,
  setSeedMode,
  stepSeed,
  usedSeeds,
  withFreshSeeds,
} from "../src/workflow/seeds";
import { chain, DEFINITIONS } from "./fixtures";

describe("seeds", () => {
  it("keep every digit up to 2**64 - 1, as a string from 2**53 up", () => {
    expect(readSeed("18446744073709551615")).toBe("18446744073709551615");
    expect(readSeed("9007199254740991")).toBe(9007199254740991);
    expect(readSeed("9007199254740992")).toBe("9007199254740992");
    expect(readSeed("9007199254740993")).toBe("9007199254740993");
  });

  it("stay inside 0 and 2**64 - 1", () => {
    expect(packSeed(2n ** 64n)).toBe("18446744073709551615");
    expect(packSeed(-1n)).toBe(0);
    expect(stepSeed("18446744073709551615", 1)).toBe("18446744073709551615");
    expect(stepSeed(0, -1)).toBe(0);
    expect(stepSeed(9007199254740991, 1)).toBe("9007199254740992");
  });

  it("are read without separators, and not from other text", () => {
    expect(readSeed("1 234 567")).toBe(1234567);
    expect(readSeed("1.5")).toBeNull();
    expect(readSeed("-1")).toBeNull();
    expect(readSeed("")).toBeNull();
  });

  it("drawn ones are whole and exact", () => {
    for (let i = 0; i < 100; i++) expect(Number.isSafeInteger(drawSeed())).toBe(true);
  });
});

describe("a run's seeds", () => {
  const draw = () => 99;

  it("the first run uses the seed that is shown", () => {
    const workflow = chain();
    expect(withFreshSeeds(workflow, DEFINITIONS, {}, draw)).toBe(workflow);
  });

  it("the next run draws a new one", () => {
    const workflow = chain();
    const next = withFreshSeeds(workflow, DEFINITIONS, usedSeeds(workflow, DEFINITIONS), draw);
    expect(next.nodes.sample?.values.seed).toBe(99);
  });

  it("a seed that was typed since the last run is used as it is", () => {
    const used = usedSeeds(chain(), DEFINITIONS);
    const typed = setValue(chain(), "sample", "seed", "18446744073709551615");
    expect(withFreshSeeds(typed, DEFINITIONS, used, draw)).toBe(typed);
  });

  it("a counting seed goes up by one from run to run", () => {
    const counting = setSeedMode(chain(), "sample", "seed", "counting");
    expect(seedMode(counting, "sample", "seed")).toBe("counting");
    const before = BigInt(String(counting.nodes.sample?.values.seed ?? 0));
    const after = withFreshSeeds(counting, DEFINITIONS, usedSeeds(counting, DEFINITIONS), draw);
    expect(BigInt(String(after.nodes.sample?.values.seed))).toBe(before + 1n);
    const back = setSeedMode(setSeedMode(counting, "sample", "seed", "fixed"), "sample", "seed", "random");
    expect(seedMode(back, "sample", "seed")).toBe("random");
  });
  it("a fixed seed stays, and so does one that a wire brings", () => {
    const fixed = setFixed(chain(), "sample", "seed", true);
    expect(isFixed(fixed, "sample", "seed")).toBe(true);
    expect(withFreshSeeds(fixed, DEFINITIONS, usedSeeds(fixed, DEFINITIONS), draw)).toBe(fixed);
    const wired = chain();
    const sample = wired.nodes.sample;
    if (sample) sample.inputs.seed = { node: "load", output: "model" };
    expect(withFreshSeeds(wired, DEFINITIONS, { "sample/seed": 7 }, draw)).toBe(wired);
  });
});
