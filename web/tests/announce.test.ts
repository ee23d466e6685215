import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { announceRuns, useSaid } from "../src/store/announce";
import { activeDocument, useDocuments } from "../src/store/documents";
import { emptyRun, useRuns } from "../src/store/runs";
import type { RunStatus } from "../src/api/types";

let heard: string[] = [];
let leave: (() => void)[] = [];

function status(id: string, now: RunStatus): void {
  useRuns.setState(({ runs }) => ({ runs: { ...runs, [id]: emptyRun(id, now) } }));
}

function queued(id: string): void {
  const { id: open } = activeDocument(useDocuments.getState());
  useDocuments.setState(({ documents }) => ({
    documents: documents.map((one) => (one.id === open ? { ...one, runs: [id, ...one.runs] } : one)),
  }));
}

beforeEach(() => {
  heard = [];
  leave = [announceRuns(), useSaid.subscribe(({ text }) => heard.push(text))];
});

afterEach(() => leave.forEach((one) => one()));

describe("announceRuns", () => {
  test("says how a run goes that was queued first", () => {
    queued("a");
    for (const now of ["waiting", "running", "running", "finished"] as const) status("a", now);
    expect(heard).toEqual(["The run has started.", "The run is finished."]);
  });

  test("says that a run has begun which the page was told of before it knew it as its own", () => {
    status("b", "running");
    queued("b");
    status("b", "finished");
    expect(heard).toEqual(["The run has started.", "The run is finished."]);
  });

  test("says of a quick one at least that it is over", () => {
    status("c", "finished");
    queued("c");
    expect(heard).toEqual(["The run is finished."]);
  });

  test("says nothing of other workflows' runs, nor of those that were over before", () => {
    status("d", "running");
    expect(heard).toEqual([]);
    queued("e");
    useSaid.setState({ text: "", number: 0 });
    heard = [];
    status("e", "finished");
    expect(heard).toEqual([]);
  });
});
