/** What a hand may do to a workflow, made of numbers: for properties of any sequence of edits. */

import fc from "fast-check";
import type { Change } from "../src/store/documents";
import { cut, paste } from "../src/workflow/clipboard";
import * as edits from "../src/workflow/edits";
import { addGroup, addNote, setGroup, setNote } from "../src/workflow/frames";
import { placed, wiresOf } from "../src/workflow/model";
import { addDot, segmentsOf } from "../src/workflow/reroutes";
import { moveThings, removeThings, thingsOf } from "../src/workflow/things";
import { DEFINITIONS } from "./fixtures";

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
export const DEED = fc
  .tuple(fc.nat(DEEDS.length - 1), NUMBER, NUMBER, NUMBER)
  .map(([which, a, b, c]) => (DEEDS[which] as (typeof DEEDS)[number])(a, b, c));
