import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BatchAnswer } from "../src/api/queue";
import type { RunAnswer } from "../src/api/types";
import {
  droppedOn,
  lookAtQueue,
  lookAtQueueSoon,
  movedBy,
  moveRun,
  pauseQueue,
  repeatRuns,
  unrepeated,
  useQueue,
} from "../src/store/queue";
import { ended, sentence } from "../src/store/alerts";
import { useUi } from "../src/store/ui";
import { inWords, paced, timeLeft, usualTimes } from "../src/workflow/timeLeft";

const run = (id: string, more: Partial<RunAnswer> = {}): RunAnswer => ({
  id,
  status: "waiting",
  ...more,
});
const line = ["a", "b", "c"].map((id) => run(id));

/** A server whose queue is `answers`, one for each look; the last one stays. */
function serving(...answers: { pause?: string; runs: RunAnswer[]; after?: Promise<void> }[]) {
  const asked: string[] = [];
  const bodies: unknown[] = [];
  vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? "GET"} ${path}`);
    if (init?.body) bodies.push(JSON.parse(String(init.body)));
    if (path === "/api/queue") {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      await answer?.after;
      const runs = answer?.runs ?? [];
      return Response.json({ pause: answer?.pause ?? "no", waiting: runs.length, runs });
    }
    if (path.startsWith("/api/runs?")) return Response.json({ runs: [] });
    if (path === "/api/batches") return Response.json({ batches: [] });
    return Response.json({});
  });
  return { asked, bodies };
}

beforeEach(() => {
  useQueue.setState({ pause: "no", waiting: 0, running: [], line: [], failed: [], trouble: "" });
  useUi.setState({ notices: [] });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a place in the line", () => {
  it("is given by the run that comes after it", () => {
    expect(movedBy(line, "c", -1)).toEqual({ before: "b" });
    expect(movedBy(line, "a", 1)).toEqual({ before: "c" });
    expect(movedBy(line, "b", 1)).toEqual({}); // behind all
  });

  it("stays where there is no other", () => {
    expect(movedBy(line, "a", -1)).toBeNull();
    expect(movedBy(line, "c", 1)).toBeNull();
    expect(movedBy(line, "gone", 1)).toBeNull();
    expect(droppedOn(line, "b", "b")).toBeNull();
  });

  it("is that of the run on which another one is dropped", () => {
    expect(droppedOn(line, "c", "a")).toEqual({ before: "a" });
    expect(droppedOn(line, "a", "b")).toEqual({ before: "c" });
    expect(droppedOn(line, "a", "c")).toEqual({});
  });
});

describe("the queue", () => {
  it("is in the server's order, what runs apart from what waits", async () => {
    const waits = [run("c", { status: "interrupted" }), run("b")];
    serving({ pause: "after", runs: [run("a", { status: "running" }), ...waits] });
    await lookAtQueue();
    const { running, line: waiting, pause } = useQueue.getState();
    expect(running.map(({ id }) => id)).toEqual(["a"]);
    expect(waiting.map(({ id }) => id)).toEqual(["c", "b"]);
    expect(pause).toBe("after");
  });

  it("is asked for once for many events of a moment", async () => {
    vi.useFakeTimers();
    const { asked } = serving({ runs: line });
    for (let i = 0; i < 50; i++) lookAtQueueSoon();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked.filter((path) => path === "GET /api/queue")).toHaveLength(1);
    expect(useQueue.getState().line).toHaveLength(3);
  });

  it("is not set back by an answer that comes late", async () => {
    let release = () => {};
    const late = new Promise<void>((resolve) => (release = resolve));
    serving({ runs: line, after: late }, { runs: [run("new")] });
    const old = lookAtQueue();
    await lookAtQueue();
    release();
    await old;
    expect(useQueue.getState().line.map(({ id }) => id)).toEqual(["new"]);
  });

  it("is asked for anew after each change", async () => {
    const { asked, bodies } = serving({ runs: line });
    await moveRun("c", { before: "a" });
    await pauseQueue("now");
    await repeatRuns(["x", "y"]);
    expect(asked.filter((path) => path.startsWith("POST"))).toEqual([
      "POST /api/runs/c/move",
      "POST /api/queue/pause",
      "POST /api/runs/x/again",
      "POST /api/runs/y/again",
    ]);
    expect(bodies.slice(0, 2)).toEqual([{ before: "a" }, { pause: "now" }]);
    expect(asked.filter((path) => path === "GET /api/queue")).toHaveLength(3);
  });

  it("says why something was refused, and shows the true line all the same", async () => {
    serving({ runs: line });
    const ask = globalThis.fetch;
    const sentence = "This run is running; only a run that waits can be changed.";
    vi.stubGlobal("fetch", async (path: string, init?: RequestInit) =>
      path.endsWith("/move")
        ? Response.json({ error: { code: "conflict", message: sentence } }, { status: 409 })
        : ask(path, init),
    );
    await moveRun("a", { front: true });
    expect(useUi.getState().notices.map(({ text }) => text)).toEqual([sentence]);
    expect(useQueue.getState().line).toHaveLength(3);
  });

  it("no longer names a failed run that was repeated", () => {
    const failed = [run("new", { copy_of: "old" }), run("old"), run("other")];
    expect(unrepeated(failed, []).map(({ id }) => id)).toEqual(["new", "other"]);
    const again = run("again", { copy_of: "new" });
    expect(unrepeated(failed, [again]).map(({ id }) => id)).toEqual(["other"]);
  });
});

describe("a batch that ends", () => {
  const batch = (id: string, counts: BatchAnswer["counts"]): BatchAnswer => ({
    id,
    name: "",
    created: 0,
    on_error: "continue",
    counts,
    axes: [],
  });

  it("is told once, and only by who saw it run", () => {
    const running = [batch("a", { running: 1, finished: 3 }), batch("b", { waiting: 2 })];
    const done = [batch("a", { finished: 4 }), batch("b", { waiting: 2 })];
    expect(ended(running, done).map(({ id }) => id)).toEqual(["a"]);
    expect(ended(done, done)).toEqual([]);
    expect(ended(null, done)).toEqual([]); // the page was opened later
    const old = { ...batch("old", { finished: 1 }), created: -9 };
    const quick = batch("quick", { finished: 2 });
    expect(ended([old], [quick, old])).toEqual([quick]); // came and went between two looks
    expect(ended([quick], [quick, old])).toEqual([]); // an older one that is seen again
  });

  it("says what became of its runs", () => {
    expect(sentence(batch("a", { finished: 4 }))).toBe("4 done.");
    expect(sentence(batch("a", { finished: 1, failed: 2, cancelled: 3 }))).toBe(
      "1 done, 2 failed, 3 cancelled.",
    );
  });
});

describe("the time that is left", () => {
  const nodes = {
    load: { state: "cached" as const },
    sample: { state: "running" as const },
    save: { state: "waiting" as const },
  };
  const usual = new Map([
    ["sample", 10],
    ["save", 2],
  ]);

  it("follows the pace of the steps, and what later nodes usually take", () => {
    const pace = paced({ since: 0, first: null }, 2, 1000);
    const at = { sample: { step: 6, steps: 20 } };
    // Four steps in 4 s leave 14 s for the other 14.
    expect(timeLeft({ nodes, progress: at }, { sample: pace }, usual, 5000)).toBe(14 + 2);
  });

  it("is what a node usually takes, less what it has taken", () => {
    const pace = paced(undefined, undefined, 1000);
    expect(timeLeft({ nodes, progress: {} }, { sample: pace }, usual, 4000)).toBe(7 + 2);
    expect(timeLeft({ nodes, progress: {} }, { sample: pace }, usual, 60_000)).toBe(2);
  });

  it("is not guessed where a node has never run", () => {
    const known = new Map([["sample", 10]]);
    expect(timeLeft({ nodes, progress: {} }, {}, known, 0)).toBeNull();
    expect(timeLeft({ nodes: {}, progress: {} }, {}, usual, 0)).toBeNull();
  });

  it("learns from runs of the same nodes, the newest first", () => {
    const past = (sample: number, state: "finished" | "cached" = "finished") => ({
      nodes: { ...nodes, sample: { state, seconds: sample } },
      progress: {},
    });
    const other = { nodes: { sample: { state: "finished" as const, seconds: 99 } }, progress: {} };
    const now = { nodes, progress: {} };
    expect(usualTimes(now, [other, past(0, "cached"), past(3), past(5)])).toEqual(
      new Map([["sample", 3]]),
    );
  });

  it("is said in words that are no finer than it is known", () => {
    expect([0.2, 41.4, 100, 3600, 4800].map(inWords)).toEqual([
      "1 s",
      "41 s",
      "2 min",
      "1 h",
      "1 h 20 min",
    ]);
  });
});
