import { afterEach, describe, expect, it, vi } from "vitest";
import type { MemoryAnswer, WorkerMemory } from "../src/api/types";
import {
  freedSentence,
  freeMemory,
  lookAtMemory,
  partTitle,
  sizeInWords,
  takeNote,
  useMemory,
} from "../src/store/memory";
import { useUi } from "../src/store/ui";

const model = { name: "a", part: "vae", dtype: "bfloat16", bytes: 3e6, host: 0 };
const worker = (more: Partial<WorkerMemory> = {}): WorkerMemory => ({
  device: "CPU",
  budget: 8e9,
  used: 3e6,
  total: 16e9,
  free: null,
  results: 0,
  freed: 0,
  models: [{ ...model, id: "1", in_use: false }],
  ...more,
});
const report = (...workers: WorkerMemory[]): MemoryAnswer => ({
  ...(workers[0] ?? worker()),
  workers: (workers.length ? workers : [worker()]).map((one, at) => ({ ...one, number: at + 1 })),
});

function answering(status: number, body: unknown) {
  const ask = vi.fn(async (_path: string, _init?: RequestInit) => {
    return new Response(JSON.stringify(body), { status });
  });
  vi.stubGlobal("fetch", ask);
  return ask;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  useUi.setState({ notices: [] });
  useMemory.setState({ report: null, trouble: "", notes: [] });
});

describe("the memory view", () => {
  it("shows sizes as people count", () => {
    const sizes = [0, 400, 3_400_000, 999_000_000, 6_940_000_000];
    expect(sizes.map(sizeInWords)).toEqual(["0 MB", "<1 MB", "3 MB", "999 MB", "6.9 GB"]);
  });

  it("names the parts of a model file", () => {
    expect(["model", "model+x", "vae", "clip_l-projected", "t5xxl"].map(partTitle)).toEqual([
      "Diffusion model",
      "Diffusion model",
      "VAE",
      "Text encoder",
      "Text encoder",
    ]);
  });

  it("keeps what the worker says, and why it says nothing", async () => {
    answering(200, report());
    await lookAtMemory();
    expect(useMemory.getState().report?.models).toHaveLength(1);
    answering(503, { error: { code: "not_ready", message: "Not yet." } });
    await lookAtMemory();
    expect(useMemory.getState()).toMatchObject({ report: null, trouble: "Not yet." });
  });

  it("frees one model, or all, and says what that gave", async () => {
    const ask = answering(200, report(worker({ freed: 2e9, models: [] })));
    await freeMemory(["4"], false, 2);
    await freeMemory();
    const bodies = ask.mock.calls.map(([path, init]) => [path, JSON.parse(String(init?.body))]);
    expect(bodies).toEqual([
      ["/api/memory/free", { models: ["4"], results: false, worker: 2 }],
      ["/api/memory/free", { models: null, results: false, worker: null }],
    ]);
    expect(useUi.getState().notices.map((notice) => notice.text)).toEqual(["Freed 2.0 GB."]);
  });

  it("says what could not be freed by any worker", () => {
    const used = { ...model, id: "2", in_use: true };
    expect(freedSentence(report(worker({ models: [used] })))).toBe(
      "There was nothing to free. One model is in use.",
    );
    const freed = worker({ freed: 5e6, models: [used] });
    expect(freedSentence(report(freed, freed))).toBe("Freed 10 MB. 2 models are in use.");
  });

  it("tells of a refusal", async () => {
    answering(503, { error: { code: "not_ready", message: "Not yet." } });
    await freeMemory();
    expect(useUi.getState().notices.map(({ kind, text }) => [kind, text])).toEqual([
      ["error", "Not yet."],
    ]);
  });

  it("keeps the newest notes of runs, each once, and long ones stay longer", () => {
    vi.useFakeTimers();
    for (const note of ["a", "b", "a", "c", "d", "e", "f"]) takeNote(note);
    expect(useMemory.getState().notes).toEqual(["f", "e", "d", "c", "a"]);
    const long = "The picture is made in tiles. ".repeat(4);
    takeNote(long);
    vi.advanceTimersByTime(5000);
    expect(useUi.getState().notices.map((notice) => notice.text)).toEqual([long]);
    vi.advanceTimersByTime(6000);
    expect(useUi.getState().notices).toEqual([]);
  });
});
