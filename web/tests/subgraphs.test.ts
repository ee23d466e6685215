import { describe, expect, it } from "vitest";
import type { CheckAnswer, Problem, Workflow } from "../src/api/types";
import { edited, newDocument, pathOf, undone } from "../src/store/documents";
import { nodeRunOf, summed } from "../src/store/inside";
import { emptyRun } from "../src/store/runs";
import { atLevel } from "../src/workflow/answers";
import { cut, paste } from "../src/workflow/clipboard";
import { applyEdits, connect, moveNodes, removeNodes, setValue } from "../src/workflow/edits";
import { removeSocket, renameNode, renameSocket, toggleShown } from "../src/workflow/exposing";
import { derived } from "../src/workflow/interface";
import { emptyWorkflow } from "../src/workflow/model";
import { pack, unpack } from "../src/workflow/packing";
import { usedSeeds, withFreshSeeds } from "../src/workflow/seeds";
import { carried } from "../src/workflow/carrying";
import {
  changed,
  INPUTS,
  levelOf,
  locate,
  NEW,
  OUTPUTS,
  sameGraph,
} from "../src/workflow/subgraphs";
import { chain, DEFINITIONS } from "./fixtures";

/** load → [sample] → save, the sampler inside the node "subgraph". */
function packedChain(): Workflow {
  const packed = pack(chain(), ["sample"], "Draw");
  if (!packed) throw new Error("nothing was packed");
  return packed.workflow;
}

const problem = (node: string, socket: string | null): Problem => ({
  code: "x",
  severity: "error",
  node,
  socket,
  message: "",
  because: [],
  fixes: [],
});

describe("packing", () => {
  it("makes one node with a socket for each wire that goes in or out", () => {
    const flow = packedChain();
    expect(Object.keys(flow.nodes).sort()).toEqual(["load", "save", "subgraph"]);
    expect(flow.nodes.subgraph?.inputs).toEqual({ model: { node: "load", output: "model" } });
    expect(flow.nodes.save?.inputs.image).toEqual({ node: "subgraph", output: "image" });
    const inside = flow.subgraphs?.part;
    expect(inside?.nodes.sample?.inputs.model).toEqual({ node: INPUTS, output: "model" });
    expect(inside?.outputs).toEqual({ image: { node: "sample", output: "image" } });
  });

  it("is undone by unpacking, whatever was chosen and however deep", () => {
    for (const chosen of [
      ["load"],
      ["load", "save"],
      ["sample", "save"],
      ["load", "sample", "save"],
    ]) {
      const once = pack(chain(), chosen, "A");
      const twice = pack(once?.workflow as Workflow, ["subgraph", "load"], "B");
      const out = unpack(twice?.workflow as Workflow, twice?.ids[0] as string);
      const name = out?.ids.find((id) => out.workflow.nodes[id]?.type.startsWith("subgraph:"));
      const flat = unpack(out?.workflow as Workflow, name as string)?.workflow;
      expect(flat?.nodes).toEqual(chain().nodes);
    }
  });

  it("calls outputs of one name after the nodes that give them", () => {
    const { nodes, ...rest } = chain();
    const { sample, save } = nodes;
    if (!sample || !save) throw new Error("the chain has other nodes");
    const inputs = {
      "images.0": { node: "sample", output: "image" },
      "images.1": { node: "other", output: "image" },
    };
    const other = { ...sample, title: "Other" };
    const flow: Workflow = { ...rest, nodes: { sample, other, stack: { ...save, inputs } } };
    const outputs = pack(flow, ["sample", "other"], "A")?.workflow.subgraphs?.part?.outputs;
    expect(Object.values(outputs ?? {}).map(({ title }) => title)).toEqual([undefined, "Other"]);
  });

  it("is one step to undo", () => {
    const document = newDocument(chain());
    const after = edited(document, (flow) => pack(flow, ["sample"], "A")?.workflow ?? flow);
    expect(after.past).toHaveLength(1);
    expect(undone(after).workflow).toBe(document.workflow);
  });

  it("keeps what the placed node sets of a shown widget when it is unpacked", () => {
    const shown = toggleShown(packedChain(), "part", "sample", "steps");
    const set = setValue(shown, "subgraph", "steps", 5);
    expect(unpack(set, "subgraph")?.workflow.nodes.sample?.values.steps).toBe(5);
  });

  it("leaves the interface of the level alone", () => {
    const level = levelOf(packedChain(), ["subgraph"]);
    const packed = pack(level, [INPUTS, "sample", OUTPUTS], "Deep");
    expect(Object.keys(packed?.workflow.nodes ?? {})).toContain(INPUTS);
    expect(packed?.workflow.nodes[OUTPUTS]?.inputs.image?.node).toBe("subgraph");
    expect(pack(level, [INPUTS], "Nothing")).toBeNull();
  });
});

describe("levels", () => {
  it("shows the inside of a node as a workflow, and keeps what is changed there", () => {
    const flow = packedChain();
    const after = changed(flow, ["subgraph"], (level) => setValue(level, "sample", "steps", 3));
    expect(after.subgraphs?.part?.nodes.sample?.values.steps).toBe(3);
    expect(after.nodes).toBe(flow.nodes);
    expect(changed(flow, ["subgraph"], (level) => level)).toBe(flow);
  });

  it("asks the checker anew for what is changed inside, not for what is moved", () => {
    const flow = packedChain();
    const at = (change: (level: Workflow) => Workflow) => changed(flow, ["subgraph"], change);
    expect(
      sameGraph(
        flow,
        at((l) => moveNodes(l, { sample: { x: 8, y: 8 } })),
      ),
    ).toBe(true);
    expect(
      sameGraph(
        flow,
        at((l) => setValue(l, "sample", "steps", 3)),
      ),
    ).toBe(false);
  });

  it("makes a socket of a wire to the interface's plus, on either side", () => {
    const flow = changed(packedChain(), ["subgraph"], (level) => {
      const given = connect(level, OUTPUTS, NEW, { node: "sample", output: "image" });
      return connect(given, "sample", "steps", { node: INPUTS, output: NEW });
    });
    const inside = flow.subgraphs?.part;
    expect(Object.keys(inside?.outputs ?? {})).toEqual(["image", "image_2"]);
    expect(Object.keys(inside?.inputs ?? {})).toEqual(["model", "steps"]);
    expect(inside?.nodes.sample?.inputs.steps).toEqual({ node: INPUTS, output: "steps" });
  });

  it("keeps the interface when everything is deleted, and the outputs that gave it", () => {
    const flow = changed(packedChain(), ["subgraph"], (l) => removeNodes(l, Object.keys(l.nodes)));
    expect(flow.subgraphs?.part?.nodes).toEqual({});
    expect(flow.subgraphs?.part?.outputs.image).toEqual({ node: "", output: "" });
  });

  it("leads no further than there are nodes after an undo", () => {
    const document = { ...newDocument(packedChain()), path: ["subgraph"] };
    expect(pathOf(document)).toEqual(["subgraph"]);
    expect(pathOf({ ...document, workflow: chain() })).toEqual([]);
  });
});

describe("what a node shows of its subgraph", () => {
  const typesOf = (flow: Workflow, path: string[] = []) => derived(flow, path, DEFINITIONS);

  it("has the kinds of what is inside", () => {
    const shown = toggleShown(packedChain(), "part", "sample", "steps");
    const definition = typesOf(shown)["subgraph:part"];
    expect(definition?.inputs.map((i) => [i.name, i.term.kind])).toEqual([["model", "Model"]]);
    expect(definition?.outputs.map((o) => o.term.kind)).toEqual(["Image"]);
    expect(definition?.widgets.map((w) => [w.name, w.default])).toEqual([["steps", 20]]);
    expect(definition?.title).toBe("Draw");
  });

  it("is there inside as two nodes", () => {
    const types = typesOf(packedChain(), ["subgraph"]);
    expect(types["interface:in"]?.outputs.map((o) => o.name)).toEqual(["model", NEW]);
    expect(types["interface:out"]?.inputs.map((i) => i.name)).toEqual(["image", NEW]);
  });

  it("is none for a subgraph that holds itself", () => {
    const flow = changed(packedChain(), ["subgraph"], (level) => ({
      ...level,
      nodes: { ...level.nodes, again: { ...chain().nodes.load, type: "subgraph:part" } as never },
    }));
    expect(typesOf(flow)["subgraph:part"]?.inputs).toHaveLength(1);
  });

  it("can be renamed, and a socket that goes takes its wires along", () => {
    const named = renameSocket(packedChain(), "part", "inputs", "model", "Which model");
    expect(typesOf(named)["subgraph:part"]?.inputs[0]?.title).toBe("Which model");
    const without = removeSocket(named, "part", "inputs", "model");
    expect(without.nodes.subgraph?.inputs).toEqual({});
    expect(without.subgraphs?.part?.nodes.sample?.inputs).toEqual({});
    const silent = removeSocket(named, "part", "outputs", "image");
    expect(silent.nodes.save?.inputs).toEqual({});
  });
});

describe("the server's names", () => {
  const deep = pack(packedChain(), ["subgraph"], "Outer")?.workflow as Workflow;

  it("lead to a node at any depth", () => {
    expect(locate(deep, "subgraph_2/subgraph/sample")).toEqual({
      path: ["subgraph_2", "subgraph"],
      id: "sample",
    });
    expect(locate(deep, "subgraph_2/gone")).toBeNull();
  });

  it("tell a problem inside at the node around it, where its wire comes in", () => {
    const answer: CheckAnswer = {
      problems: [problem("subgraph_2/subgraph/sample", "model"), problem("load", null)],
      types: {
        subgraph_2: { inputs: { model: { kind: "Model", spaces: [] } }, outputs: {} },
        "subgraph_2/subgraph": { inputs: {}, outputs: {} },
      },
      runnable: false,
    };
    const outer = atLevel(answer, deep, []);
    expect(outer.problems.map((p) => [p.node, p.socket])).toEqual([
      ["subgraph_2", "model"],
      ["load", null],
    ]);
    const inner = atLevel(answer, deep, ["subgraph_2"]);
    expect(inner.problems.map((p) => [p.node, p.socket])).toEqual([["subgraph", "model"]]);
    expect(inner.types[INPUTS]?.outputs.model?.kind).toBe("Model");
    expect(Object.keys(inner.types)).toContain("subgraph");
  });

  it("are understood in a fix's edits, which may add sockets", () => {
    const flow = applyEdits(packedChain(), [
      { op: "set_value", node: "subgraph/sample", name: "steps", value: 4 },
      { op: "add_input", node: "subgraph", name: "extra" },
      { op: "connect", node: "subgraph", socket: "extra", wire: { node: "load", output: "model" } },
      {
        op: "connect",
        node: "subgraph/sample",
        socket: "model",
        wire: { node: "$", output: "extra" },
      },
      { op: "add_node", id: "subgraph/load", node: chain().nodes.load as never },
      { op: "add_output", node: "subgraph", name: "more", wire: { node: "load", output: "model" } },
    ]);
    const inside = flow.subgraphs?.part;
    expect(inside?.nodes.sample?.values.steps).toBe(4);
    expect(inside?.nodes.sample?.inputs.model).toEqual({ node: "$", output: "extra" });
    expect(inside?.nodes.load?.type).toBe("load");
    expect(inside?.outputs.more).toEqual({ node: "load", output: "model" });
    expect(flow.nodes.subgraph?.inputs.extra).toEqual({ node: "load", output: "model" });
  });
});

describe("copies", () => {
  it("bring the subgraphs that they need, once", () => {
    const flow = packedChain();
    const piece = cut(flow, ["subgraph"]);
    const other = paste(emptyWorkflow(), piece, { x: 0, y: 0 }).workflow;
    expect(other.subgraphs).toEqual(flow.subgraphs);
    expect(Object.keys(paste(flow, piece, { x: 0, y: 0 }).workflow.subgraphs ?? {})).toEqual([
      "part",
    ]);
  });

  it("get another name where another subgraph has theirs", () => {
    const flow = packedChain();
    const other = changed(flow, ["subgraph"], (level) => setValue(level, "sample", "steps", 1));
    const { workflow, piece } = carried(other, cut(flow, ["subgraph"]));
    expect(Object.keys(workflow.subgraphs ?? {})).toEqual(["part", "part_2"]);
    expect(piece.nodes.subgraph?.type).toBe("subgraph:part_2");
  });
});

describe("runs", () => {
  it("show at a node what becomes of all inside", () => {
    const states = (...list: Parameters<typeof summed>[0][number]["state"][]) =>
      summed(list.map((state) => ({ state, seconds: 1 })));
    expect(states("waiting", "waiting").state).toBe("waiting");
    expect(states("finished", "waiting").state).toBe("running");
    expect(states("cached", "cached").state).toBe("cached");
    expect(states("finished", "cached", "finished")).toEqual({ state: "finished", seconds: 3 });
    expect(states("finished", "failed").state).toBe("failed");
    const run = { ...emptyRun("r"), nodes: { "up/k": { state: "running" as const } } };
    expect(nodeRunOf(run, "up")?.state).toBe("running");
    expect(nodeRunOf(run, "u")).toBeUndefined();
  });

  it("draw seeds inside anew, and leave those that a node outside holds", () => {
    const flow = packedChain();
    const used = usedSeeds(flow, DEFINITIONS);
    expect(used).toEqual({ "subgraph:part/sample/seed": 7 });
    const fresh = withFreshSeeds(flow, DEFINITIONS, used, () => 99);
    expect(fresh.subgraphs?.part?.nodes.sample?.values.seed).toBe(99);
    const shown = toggleShown(flow, "part", "sample", "seed");
    const known = { ...DEFINITIONS, ...derived(shown, [], DEFINITIONS) };
    expect(usedSeeds(shown, known)).toEqual({ "subgraph/seed": 7 });
    const drawn = withFreshSeeds(shown, known, { "subgraph/seed": 7 }, () => 99);
    expect(drawn.nodes.subgraph?.values.seed).toBe(99);
  });
});

describe("subgraphs of a workflow", () => {
  it("go with the last node that stands for them, and come back with an undo", () => {
    const document = newDocument(packedChain());
    const after = edited(document, (flow) => removeNodes(flow, ["subgraph"]));
    expect(after.workflow.subgraphs).toEqual({});
    expect(Object.keys(undone(after).workflow.subgraphs ?? {})).toEqual(["part"]);
  });

  it("have the name of their only node, and their own where there are more", () => {
    const named = renameNode(packedChain(), "subgraph", "Upscale");
    expect(named.subgraphs?.part?.title).toBe("Upscale");
    expect(named.nodes.subgraph?.title).toBe("");
    const twice = paste(named, cut(named, ["subgraph"]), { x: 0, y: 0 });
    const other = renameNode(twice.workflow, twice.names[0] as string, "Again");
    expect(other.subgraphs?.part?.title).toBe("Upscale");
    expect(other.nodes[twice.names[0] as string]?.title).toBe("Again");
  });
});
