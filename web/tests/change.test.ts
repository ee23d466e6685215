import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NodeTypes, PlacedNode, Workflow } from "../src/api/types";
import { useCatalogue } from "../src/store/catalogue";
import { checkSoon, useChecks } from "../src/store/checks";
import { edit, useDocuments } from "../src/store/documents";
import { type Change, changeOf, withChanges } from "../src/workflow/change";
import { emptyWorkflow } from "../src/workflow/model";

const node = (value: number): PlacedNode => ({
  type: "t",
  version: 1,
  title: "",
  mode: "run",
  values: { value },
  inputs: {},
});

/** As the server puts it together, in the order that its JSON has. */
function merged<T>(before: Record<string, T>, changed: Record<string, T>, order?: string[]) {
  const all = new Map([...Object.entries(before), ...Object.entries(changed)]);
  return (order ?? [...all.keys()]).map((id) => [id, all.get(id)]);
}

const flowOf = (nodes: Record<string, PlacedNode>): Workflow => ({ ...emptyWorkflow(), nodes });
const ids = fc.constantFrom("a", "b", "c", "7", "3", "up/k", "constructor");
const graphs = fc.array(fc.tuple(ids, fc.nat(2)), { maxLength: 8 });
const kept = new Map(Array.from({ length: 3 }, (_, value) => [value, node(value)]));
const built = (entries: [string, number][]) =>
  Object.fromEntries(entries.map(([id, value]) => [id, kept.get(value) as PlacedNode]));

describe("what changed in a workflow", () => {
  it("makes the new graph of the old one, in its order", () => {
    fc.assert(
      fc.property(graphs, graphs, (before, now) => {
        const [old, new_] = [built(before), built(now)];
        const change = changeOf(flowOf(old), flowOf(new_)) as Change;
        const result = merged(old, change.workflow.nodes, change.order.nodes);
        expect(result).toEqual(Object.entries(new_));
      }),
    );
  });

  it("is one node and no order where one node was edited", () => {
    const nodes = built([["a", 0], ["b", 1]]); // prettier-ignore
    const now = flowOf({ ...nodes, b: node(5) });
    expect(changeOf(flowOf(nodes), now)).toEqual({
      workflow: { version: now.version, nodes: { b: node(5) }, subgraphs: {} },
      order: {},
    });
  });

  it("cannot be told between versions of the saved form", () => {
    expect(changeOf(emptyWorkflow(), { ...emptyWorkflow(), version: 1 })).toBeNull();
  });

  it("is taken over without what is gone, and nothing new is the same object", () => {
    const before = { a: 1, b: 2 };
    expect(withChanges(before, { c: 3 }, ["a"])).toEqual({ b: 2, c: 3 });
    expect(withChanges(before, {}, [])).toBe(before);
  });
});

describe("the checker", () => {
  const types = (name: string): NodeTypes => ({
    inputs: {},
    outputs: { [name]: { kind: name, spaces: [] } },
  });
  let bodies: { base?: string; workflow: Workflow; order?: unknown }[] = [];
  let answers: [number, unknown][] = [];

  beforeEach(() => {
    bodies = [];
    vi.stubGlobal("fetch", (_path: string, init: { body: string }) => {
      bodies.push(JSON.parse(init.body));
      const [status, answer] = answers.shift() ?? [500, {}];
      return Promise.resolve(new Response(JSON.stringify(answer), { status }));
    });
    vi.stubGlobal("performance", { now: () => Date.now() });
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const answer = (base: string, told: Record<string, NodeTypes>, gone: string[] = []) => ({
    base,
    problems: [],
    types: told,
    gone,
    runnable: true,
  });

  async function settled(): Promise<void> {
    await vi.advanceTimersByTimeAsync(1000);
  }

  it("is told and tells only changes, and all of it once it has forgotten", async () => {
    useCatalogue.setState({ ready: true });
    useDocuments.getState().open(flowOf({ a: node(1), b: node(2) }));
    answers = [
      [200, answer("first", { a: types("A"), b: types("B") })],
      [200, answer("second", { b: types("C") }, ["a"])],
      [409, { error: { code: "unknown_base", message: "forgotten" } }],
      [200, answer("third", { b: types("C") })],
    ];
    checkSoon();
    await settled();
    expect(bodies[0]?.base).toBeUndefined();
    const first = useChecks.getState().types;
    expect(first).toEqual({ a: types("A"), b: types("B") });

    edit((workflow) => ({ ...workflow, nodes: { b: node(3) } }));
    checkSoon();
    await settled();
    expect(bodies[1]).toMatchObject({ base: "first", order: { nodes: ["b"] } });
    expect(Object.keys(bodies[1]?.workflow.nodes ?? {})).toEqual(["b"]);
    expect(useChecks.getState().types).toEqual({ b: types("C") });

    const before = useChecks.getState().types;
    checkSoon();
    await settled();
    expect(bodies.map((body) => body.base)).toEqual([undefined, "first", "second", undefined]);
    expect(bodies[3]?.workflow.nodes).toEqual({ b: node(3) });
    expect(useChecks.getState().types).toBe(before);
  });
});
