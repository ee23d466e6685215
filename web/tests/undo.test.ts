/** Whatever is done, as many undos lead back to the beginning, and as many redos to the end. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Workflow } from "../src/api/types";
import {
  type Change,
  type Document,
  edited,
  newDocument,
  redone,
  undone,
} from "../src/store/documents";
import { segmentsOf } from "../src/workflow/reroutes";
import { DEED } from "./deeds";
import { chain } from "./fixtures";

/** Deeds, each in a gesture of its own or going on with one of two. */
const DEED_LIST = fc.array(fc.tuple(DEED, fc.option(fc.constantFrom("one", "two"))), {
  maxLength: 40,
});

function done(start: Document, deeds: readonly [Change, string | null][]): Document {
  return deeds.reduce((now, [deed, gesture]) => edited(now, deed, gesture ?? undefined), start);
}

const times = (count: number, step: (document: Document) => Document, from: Document) =>
  Array.from({ length: count }).reduce<Document>((now) => step(now), from);

const copy = (workflow: Workflow): Workflow => JSON.parse(JSON.stringify(workflow)) as Workflow;

describe("any sequence of edits", () => {
  it("followed by as many undos gives the first workflow, untouched", () => {
    fc.assert(
      fc.property(DEED_LIST, (deeds) => {
        const start = newDocument(chain());
        const first = copy(start.workflow);
        const end = done(start, deeds);
        const back = times(end.past.length, undone, end);
        expect(back.workflow).toBe(start.workflow);
        expect(back.workflow).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });

  it("followed by as many undos and redos gives the last workflow, untouched", () => {
    fc.assert(
      fc.property(DEED_LIST, (deeds) => {
        const end = done(newDocument(chain()), deeds);
        const last = copy(end.workflow);
        const steps = end.past.length;
        const again = times(steps, redone, times(steps, undone, end));
        expect(again.workflow).toBe(end.workflow);
        expect(again.workflow).toEqual(last);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves no dot without a wire, and no wire through a dot that is gone", () => {
    fc.assert(
      fc.property(DEED_LIST, (deeds) => {
        const { workflow } = done(newDocument(chain()), deeds);
        const passed = new Set([...segmentsOf(workflow)].flatMap(({ end }) => end ?? []));
        expect(new Set(Object.keys(workflow.layout.reroutes ?? {}))).toEqual(passed);
        for (const sockets of Object.values(workflow.layout.wires ?? {}))
          for (const { via } of Object.values(sockets)) expect(passed).toContain(via);
      }),
      { numRuns: 300 },
    );
  });
});
