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
import { cut, paste } from "../src/workflow/clipboard";
import * as edits from "../src/workflow/edits";
import { addGroup, addNote, setGroup, setNote } from "../src/workflow/frames";
import { placed, wiresOf } from "../src/workflow/model";
import { addDot, segmentsOf } from "../src/workflow/reroutes";
import { moveThings, removeThings, thingsOf } from "../src/workflow/things";
import { chain, DEFINITIONS } from "./fixtures";

/** One of the list, by a number that may be any. */
const pick = <T>(list: readonly T[], number: number): T | undefined => list[number % list.length];

/** What a hand does, each from three numbers, so that it fits whatever is there by then. */
const DEEDS: readonly ((a: number, b: number, c: number) => Change)[] = [
  (a, b) => (w) => {
    const definition = pick(Object.values(DEFINITIONS), a);
    const id = `made_${b % 7}`;
    return definition && !w.nodes[id]
      ? edits.addNode(w, id, placed(definition), { x: a, y: b })
      : w;
  },
  (a) => (w) => removeThings(w, [pick(thingsOf(w), a) ?? ""]),
  (a, b, c) => (w) => moveThings(w, { [pick(thingsOf(w), a) ?? ""]: { x: b, y: c } }),
  (a, b) => (w) => edits.setValue(w, pick(Object.keys(w.nodes), a) ?? "", "steps", b),
  (a, b) => (w) => edits.setTitle(w, pick(Object.keys(w.nodes), a) ?? "", `title ${b}`),
  (a, b) => (w) => {
    const ids = Object.keys(w.nodes);
    const [node, from] = [pick(ids, a), pick(ids, b)];
    return node && from ? edits.connect(w, node, "image", { node: from, output: "image" }) : w;
  },
  (a) => (w) => {
    const wire = pick([...wiresOf(w)], a);
    return wire ? edits.disconnect(w, wire.node, wire.socket) : w;
  },
  (a, b, c) => (w) => {
    const segment = pick([...segmentsOf(w)], a);
    return segment ? addDot(w, segment, { x: b, y: c }) : w;
  },
  (a, b) => (w) =>
    edits.setMode(w, [pick(Object.keys(w.nodes), a) ?? ""], b % 2 ? "mute" : "bypass"),
  (a, b) => (w) => addGroup(w, { x: a, y: b, width: 400, height: 300 }, "group").workflow,
  (a, b) => (w) =>
    setGroup(w, pick(w.groups, a)?.id ?? "", { title: `group ${b}`, colour: "blue" }),
  (a, b) => (w) => addNote(w, { x: a, y: b }).workflow,
  (a, b) => (w) => setNote(w, pick(w.notes, a)?.id ?? "", { text: `note ${b}` }),
  (a, b, c) => (w) =>
    paste(
      w,
      cut(
        w,
        thingsOf(w).filter((_, i) => (a >> i) & 1),
      ),
      { x: b, y: c },
    ).workflow,
];

const NUMBER = fc.nat(1000);
const DEED = fc
  .tuple(fc.nat(DEEDS.length - 1), NUMBER, NUMBER, NUMBER)
  .map(([which, a, b, c]) => (DEEDS[which] as (typeof DEEDS)[number])(a, b, c));
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
