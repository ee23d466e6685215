import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, ApiError } from "../src/api/client";
import type { WorkerStatus } from "../src/api/types";
import { useCatalogue } from "../src/store/catalogue";
import { heard } from "../src/store/workerNews";

const shown = () => useCatalogue.getState().worker;

function theServerSays(worker: WorkerStatus) {
  const queue = { waiting: 0, running: 0 };
  return vi.spyOn(api, "status").mockResolvedValue({ version: "1", worker, queue });
}

beforeEach(() => {
  vi.restoreAllMocks();
  useCatalogue.setState({ worker: { state: "ready", device: "paper" } });
});

describe("what the page says of the workers", () => {
  it("stays ready where one of two stops and the other one works", async () => {
    theServerSays({ state: "ready", device: "paper", message: "" });
    await heard({ state: "stopped", message: "Its machine left the cluster." });
    expect(shown()).toEqual({ state: "ready", device: "paper", message: "" });
  });

  it("says that the only one stopped, and keeps its device", async () => {
    theServerSays({ state: "stopped", device: "", message: "It cannot be started." });
    await heard({ state: "stopped", message: "It cannot be started." });
    expect(shown().state).toBe("stopped");
    expect(shown().message).toBe("It cannot be started.");
  });

  it("is not overtaken by an answer of before", async () => {
    let answer: (worker: WorkerStatus) => void = () => undefined;
    vi.spyOn(api, "status").mockReturnValue(
      new Promise((resolve) => {
        answer = (worker) =>
          resolve({ version: "1", worker, queue: { waiting: 0, running: 0 } });
      }),
    );
    const first = heard({ state: "starting", message: "The worker died." });
    await heard({ state: "ready", device: "paper" });
    answer({ state: "starting", message: "The worker died." });
    await first;
    expect(shown().state).toBe("ready");
  });

  it("believes the news where the server does not answer", async () => {
    vi.spyOn(api, "status").mockRejectedValue(new ApiError(503, "away", "The server is away."));
    await heard({ state: "starting", message: "The worker died." });
    expect(shown().message).toBe("The worker died.");
  });

  it("asks nothing while a worker works", async () => {
    const asked = theServerSays({ state: "busy" });
    await heard({ state: "busy" });
    await heard({ state: "ready" });
    expect(asked).not.toHaveBeenCalled();
    expect(shown().device).toBe("paper");
  });
});
