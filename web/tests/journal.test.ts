/** What the browser keeps of a document is the document, whatever was done to it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Workflow } from "../src/api/types";
import {
  type Document,
  edited,
  isUnsaved,
  newDocument,
  redone,
  undone,
} from "../src/store/documents";
import { documentOf, type Kept, statesOf, writingOf } from "../src/store/journal";
import { setValue } from "../src/workflow/edits";
import { diff, type Patch, patched } from "../src/workflow/patch";
import { DEED } from "./deeds";
import { chain } from "./fixtures";

/** A store like the browser's: everything in it is a copy. */
class Shelf {
  private kept: Kept | null = null;
  private base: Workflow | null = null;
  private steps = new Map<number, Patch>();
  private states: Workflow[] = [];
  written = 0;

  write(document: Document): void {
    const writing = structuredClone(writingOf(document, this.states));
    this.kept = writing.kept;
    this.base = writing.base ?? this.base;
    for (const [number, patch] of writing.steps) this.steps.set(number, patch);
    for (const number of [...this.steps.keys()])
      if (number >= writing.end) this.steps.delete(number);
    this.states = statesOf(document);
    this.written = writing.steps.length;
  }

  read(): Document {
    const steps = [...this.steps].sort(([a], [b]) => a - b).map(([, patch]) => patch);
    return documentOf(this.kept as Kept, this.base as Workflow, structuredClone(steps));
  }
}

type Act = (document: Document) => Document;
const ACT: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: DEED.map(
      (deed): Act =>
        (document) =>
          edited(document, deed),
    ),
  },
  {
    weight: 3,
    arbitrary: DEED.map(
      (deed): Act =>
        (document) =>
          edited(document, deed, "drag"),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Act>(undone) },
  { weight: 1, arbitrary: fc.constant<Act>(redone) },
  {
    weight: 1,
    arbitrary: fc.constant<Act>((document) => ({ ...document, clean: document.workflow })),
  },
);

describe("what is kept", () => {
  it("is the document with all its undo and redo, after any acts", () => {
    fc.assert(
      fc.property(fc.array(ACT, { maxLength: 40 }), fc.func(fc.boolean()), (acts, writes) => {
        const shelf = new Shelf();
        let document = newDocument(chain(), { name: "Mine" });
        shelf.write(document);
        acts.forEach((act, index) => {
          document = act(document);
          if (writes(index)) shelf.write(document); // several acts may be written together
        });
        shelf.write(document);
        const back = shelf.read();
        expect(statesOf(back)).toEqual(statesOf(document));
        expect(back.past).toHaveLength(document.past.length);
        expect(isUnsaved(back)).toBe(isUnsaved(document));
        expect(back.clean).toEqual(document.clean);
      }),
      { numRuns: 200 },
    );
  });

  it("is one small step for one edit, however long the history", () => {
    const shelf = new Shelf();
    let document = newDocument(chain());
    for (let steps = 1; steps <= 100; steps++) {
      document = edited(document, (w) => setValue(w, "sample", "steps", steps + 100));
      shelf.write(document);
      expect(shelf.written).toBe(1);
    }
    document = undone(document);
    shelf.write(document);
    expect(shelf.written).toBe(0);
  });

  it("holds seeds past what a double does, runs and names", () => {
    const shelf = new Shelf();
    const seed = "18446744073709551615";
    const document = edited(newDocument(chain(), { name: "Mine", savedAs: "mine" }), (w) =>
      setValue(w, "sample", "seed", seed),
    );
    shelf.write({ ...document, used: { "sample/seed": 7 }, runs: ["r1"] });
    const back = shelf.read();
    expect(back.workflow.nodes.sample?.values.seed).toBe(seed);
    const about = { name: "Mine", savedAs: "mine", used: { "sample/seed": 7 }, runs: ["r1"] };
    expect(back).toMatchObject({ ...about, id: document.id });
  });

  it("remembers the saved workflow, too, where no undo leads to it", () => {
    const shelf = new Shelf();
    const elsewhere = setValue(chain(), "sample", "steps", 3);
    shelf.write({ ...newDocument(chain()), clean: elsewhere });
    expect(shelf.read().clean).toEqual(elsewhere);
    expect(isUnsaved(shelf.read())).toBe(true);
  });
});

describe("a patch", () => {
  const JSON_VALUE = fc.jsonValue({ maxDepth: 4 });

  it("makes any value of any other", () => {
    fc.assert(
      fc.property(JSON_VALUE, JSON_VALUE, (before, after) => {
        expect(patched(before, diff(before, after))).toEqual(after);
      }),
      { numRuns: 500 },
    );
  });

  it("is nothing between equal objects, and small for a small change", () => {
    const workflow = chain();
    expect(diff(workflow, workflow)).toEqual({ set: [], unset: [] });
    expect(diff(workflow, setValue(workflow, "sample", "steps", 3))).toEqual({
      set: [[["nodes", "sample", "values", "steps"], 3]],
      unset: [],
    });
  });
});
