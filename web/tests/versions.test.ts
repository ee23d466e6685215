import { describe, expect, it } from "vitest";
import { edited, newDocument } from "../src/store/documents";
import { MOST_OF_ALL, MOST_OF_ONE, reasonOf, surplusOf } from "../src/store/versions";
import { setValue } from "../src/workflow/edits";
import { chain } from "./fixtures";

describe("a version is taken", () => {
  const start = newDocument(chain());
  const changed = edited(start, (w) => setValue(w, "sample", "steps", 3));

  it("of what was opened, before the first edit", () => {
    expect(reasonOf(changed, start)).toBe("opened");
    expect(
      reasonOf(
        edited(changed, (w) => setValue(w, "sample", "steps", 4)),
        changed,
      ),
    ).toBe(null);
  });

  it("with each run and each saving", () => {
    expect(reasonOf({ ...changed, runs: ["r"] }, changed)).toBe("run");
    expect(reasonOf({ ...changed, clean: changed.workflow, savedAs: "a" }, changed)).toBe("saved");
  });

  it("of what is closed unsaved, and not of what is saved", () => {
    expect(reasonOf(undefined, changed)).toBe("closed");
    expect(reasonOf(undefined, { ...changed, clean: changed.workflow })).toBe(null);
  });
});

describe("versions", () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

  it("are bounded, of one workflow and of all: the oldest go", () => {
    expect(surplusOf(numbers(MOST_OF_ONE), numbers(MOST_OF_ONE)).size).toBe(0);
    expect([...surplusOf(numbers(MOST_OF_ONE + 2), [])]).toEqual([0, 1]);
    expect([...surplusOf([], numbers(MOST_OF_ALL + 1))]).toEqual([0]);
  });
});
