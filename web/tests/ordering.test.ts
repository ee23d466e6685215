import { describe, expect, it } from "vitest";
import { Ordering } from "../src/api/ordering";
import type { ServerEvent } from "../src/api/types";

const hello = (seq: number, epoch = "e"): ServerEvent => ({ type: "hello", seq, epoch });
const snapshot = (seq: number, epoch = "e"): ServerEvent => ({
  type: "snapshot",
  seq,
  epoch,
  runs: [],
});
const step = (seq: number, epoch = "e"): ServerEvent => ({
  type: "progress",
  seq,
  epoch,
  run: "r",
  node: "n",
  step: seq,
  steps: 99,
});

function ordering() {
  const seen: (number | string)[] = [];
  const made = new Ordering((event) => {
    if (event.type !== "hello") seen.push(event.type === "snapshot" ? "all" : (event.seq ?? -1));
  });
  return { made, seen };
}

/** A generator of numbers in 0…1 from a seed, so that a failure can be seen again (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("events over a bad connection", () => {
  it("are handed on in order, however they come", () => {
    const { made, seen } = ordering();
    for (const event of [step(4), hello(2), step(4), snapshot(2), step(5), step(3), step(5)])
      made.receive(event);
    expect(seen).toEqual(["all", 3, 4, 5]);
  });

  it("are missed where a number or the last one did not come", () => {
    const { made } = ordering();
    made.receive(hello(0));
    expect(made.receive(snapshot(0))).toBe("fine");
    expect(made.receive(step(2))).toBe("gap");
    expect(made.receive(step(1))).toBe("fine");
    expect(made.receive({ type: "beat", seq: 3, epoch: "e" })).toBe("gap");
  });

  it("begin anew with another start of the server, and its snapshot", () => {
    const { made, seen } = ordering();
    made.receive(hello(5));
    made.receive(snapshot(5));
    expect(made.receive(step(1, "new"))).toBe("gap");
    expect(made.receive(hello(1, "new"))).toBe("gap");
    expect(made.receive(snapshot(1, "new"))).toBe("fine");
    made.receive(step(6));
    made.receive(step(2, "new"));
    expect(seen).toEqual(["all", "all", 2]);
  });

  it("do not go back where a snapshot comes late", () => {
    const { made, seen } = ordering();
    made.receive(hello(1));
    made.receive(snapshot(1));
    made.receive(step(2));
    made.receive(snapshot(1));
    expect(seen).toEqual(["all", 2]);
  });

  it("all arrive once and in order over connections that drop, swap and repeat", () => {
    for (let seed = 0; seed < 200; seed++) {
      const { made, seen } = ordering();
      const random = dice(seed);
      const last = 30;
      for (let connection = 0; connection < 40; connection++) {
        const since = made.since;
        const sent: ServerEvent[] = [hello(last)];
        if (since === null) sent.push(snapshot(0));
        for (let seq = (since ?? 0) + 1; seq <= last; seq++) sent.push(step(seq));
        const arriving = sent
          .filter(() => random() > 0.2)
          .flatMap((event) => (random() < 0.1 ? [event, event] : [event]))
          .map((event, at) => ({ event, at: at + 4 * random() }))
          .sort((a, b) => a.at - b.at);
        for (const { event } of arriving) made.receive(event);
      }
      expect(seen.filter((seq) => seq !== "all")).toEqual(
        Array.from({ length: last }, (_, at) => at + 1),
      );
    }
  });
});
