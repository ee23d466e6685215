import { describe, expect, it } from "vitest";
import { matches } from "../src/commands/keys";
import { COMMANDS } from "../src/commands/list";
import { keepEqual, problemsByNode } from "../src/store/checks";
import { fitOf } from "../src/store/drag";
import { after, emptyRun, merged, shownOutputs, shownRun } from "../src/store/runs";
import { colourOf, OKABE_ITO, paintOf, wireColour } from "../src/theme/spaces";
import { ranked } from "../src/widgets/search";

const press = (key: string, more: Partial<Parameters<typeof matches>[1]> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
});

describe("shortcuts", () => {
  it("mean exactly their keys", () => {
    expect(matches("Mod+Z", press("z", { ctrlKey: true }), false)).toBe(true);
    expect(matches("Mod+Z", press("Z", { ctrlKey: true, shiftKey: true }), false)).toBe(false);
    expect(matches("Mod+Shift+Z", press("Z", { ctrlKey: true, shiftKey: true }), false)).toBe(true);
    expect(matches("Mod+Z", press("z", { metaKey: true }), true)).toBe(true);
    expect(matches("?", press("?", { shiftKey: true }), false)).toBe(true);
    expect(matches("A", press("a", { ctrlKey: true }), false)).toBe(false);
    expect(matches("+", press("+", { shiftKey: true }), false)).toBe(true);
  });

  it("belong to one command each, as do ids", () => {
    const keys = COMMANDS.flatMap((command) => command.keys ?? []);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(COMMANDS.map((command) => command.id)).size).toBe(COMMANDS.length);
  });
});

describe("colours of spaces", () => {
  const spaces = {
    latent: {
      starter: { title: "Starter", short: "Start" },
      "starter-b": { title: "Starter B", short: "B" },
      sdxl: { title: "SDXL", short: "SDXL" },
    },
    text: { sdxl: { title: "SDXL", short: "SDXL" } },
  };

  it("are the Okabe-Ito set in fixed order", () => {
    const order = ["starter", "sd1", "sdxl", "sd3", "flux1", "flux2", "wan21"];
    expect(order.map((id) => colourOf("latent", id, []).colour)).toEqual(OKABE_ITO);
  });

  it("of a further space are dashed, and not the starter's for starter-b", () => {
    const further = colourOf("latent", "starter-b", Object.keys(spaces.latent));
    expect(further.dashed).toBe(true);
    expect(further.colour).not.toBe(colourOf("latent", "starter", []).colour);
  });

  it("unknown is a question, one of two is two colours, no space is neutral", () => {
    const latent = (candidates: string[] | null) =>
      paintOf({ kind: "Latent", spaces: [{ axis: "latent", candidates }] }, spaces);
    expect(latent(null)).toMatchObject({ unknown: true, fill: [] });
    expect(latent(["starter", "sdxl"]).fill).toHaveLength(2);
    expect(latent(["starter", "sdxl"]).short).toBe("Start / SDXL");
    expect(wireColour(latent(["starter", "sdxl"]))).toBeNull();
    expect(wireColour(latent(["sdxl"]))?.colour).toBe(OKABE_ITO[2]);
    expect(paintOf({ kind: "Image", spaces: [] }, spaces)).toMatchObject({
      unknown: false,
      fill: [],
      outline: [],
    });
  });
});

describe("runs", () => {
  it("follow their events", () => {
    let run = emptyRun("r");
    run = after(run, { type: "run", run: "r", status: "running" });
    run = after(run, { type: "node", run: "r", node: "k", state: "running" });
    run = after(run, { type: "progress", run: "r", node: "k", step: 3, steps: 20 });
    run = after(run, {
      type: "output",
      run: "r",
      node: "s",
      kind: "image",
      file: "a b/1.png",
      area: "output",
    });
    expect(run.status).toBe("running");
    expect(run.progress.k).toEqual({ step: 3, steps: 20, label: "" });
    expect(run.outputs[0]?.url).toBe("/api/files/output/a%20b/1.png");
  });

  it("an output that is told twice is one output", () => {
    const event = { type: "output", run: "r", node: "s", kind: "image", file: "1.png" } as const;
    expect(after(after(emptyRun("r"), event), event).outputs).toHaveLength(1);
  });

  it("a picture stays at its node while the next run has none yet", () => {
    const done = after(emptyRun("1", "finished"), {
      type: "output",
      run: "1",
      node: "s",
      kind: "image",
      file: "1.png",
    });
    const runs = { 1: done, 2: emptyRun("2", "running") };
    expect(shownRun(runs, ["2", "1"])?.id).toBe("2");
    expect(shownOutputs(runs, ["2", "1"], "s")).toHaveLength(1);
  });

  it("take times in seconds from the server", () => {
    const run = merged(emptyRun("r"), {
      id: "r",
      status: "finished",
      started: 1_700_000_000,
      finished: 1_700_000_002,
    });
    expect((run.finished ?? 0) - (run.started ?? 0)).toBe(2000);
  });
});

describe("checks", () => {
  it("keep equal answers as the same objects", () => {
    const before = { a: { inputs: {}, outputs: {} }, b: { inputs: {}, outputs: {} } };
    const now = keepEqual(before, {
      a: { inputs: {}, outputs: {} },
      b: { inputs: {}, outputs: { x: 1 } } as never,
    });
    expect(now.a).toBe(before.a);
    expect(now.b).not.toBe(before.b);
  });

  it("are sorted by node, and one without a node is at none", () => {
    const problem = {
      code: "c",
      severity: "error" as const,
      node: "a",
      socket: null,
      message: "",
      because: [],
      fixes: [],
    };
    expect(problemsByNode([problem, { ...problem, node: null }])).toEqual({ a: [problem] });
  });
});

describe("a dragged wire", () => {
  const from = { node: "a", socket: "latent", side: "out" as const };
  const target = (ok: boolean) => ({ node: "b", socket: "latent", ok });

  it("dims what cannot take it, once the server has answered", () => {
    expect(fitOf({ from, targets: null }, "b", "latent", "in")).toBe("idle");
    expect(fitOf({ from, targets: { "b:latent": target(true) } }, "b", "latent", "in")).toBe(
      "fits",
    );
    expect(fitOf({ from, targets: { "b:latent": target(false) } }, "b", "latent", "in")).toBe(
      "refused",
    );
    expect(fitOf({ from, targets: {} }, "c", "image", "in")).toBe("refused");
    expect(fitOf({ from, targets: {} }, "b", "latent", "out")).toBe("refused");
    expect(fitOf({ from, targets: {} }, "a", "latent", "out")).toBe("origin");
  });
});

describe("search", () => {
  const items = ["Load VAE", "VAE Decode", "Save Image", "KSampler"].map((label) => ({ label }));
  const labels = (query: string) => ranked(items, query).map((item) => item.label);

  it("puts the start of the name first, then of a word", () => {
    expect(labels("vae")).toEqual(["VAE Decode", "Load VAE"]);
    expect(labels("samp")).toEqual(["KSampler"]);
    expect(labels("lv")).toEqual(["Load VAE"]);
    expect(labels("xyz")).toEqual([]);
  });
});
