"""What a check of 1,000 nodes costs: cold, after an edit, and while a wire is dragged.

    python benchmarks/check.py [--pictures 143] [--repeats 15]

The workflow is 143 times text to image (7 nodes), either each with a loader of its own ("apart") or
all wired to one ("together"); "packed" has five of the seven in a subgraph that 143 nodes stand
for; "at odds" has a VAE of another space in each, which gives 143 problems, each with its fixes.
The definitions are those of the program's own nodes, handed over as
JSON by another process, and the files are those that ship: as in the server, which has no torch.
Every check gets a workflow that was read anew, but those after a change that is told as one: there
the other nodes are those of before, as in the server when the editor tells it. The times are the
least of the repeats, in the process's own (CPU) milliseconds: a check waits for nothing.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from graph.check import check, targets
from graph.definition import NodeDefinition
from graph.migrations import load
from graph.recent import Recent
from graph.subgraphs import Flat
from graph.workflow import VERSION, Workflow
from server.catalogue import Catalogue

ROOT = Path(__file__).parent.parent

Saved = dict[str, Any]

TELL = """
import json, sys
from server.worker_packs import core_modules, core_nodes
found = core_nodes(core_modules()).definitions
json.dump({name: item.model_dump(mode="json") for name, item in found.items()}, sys.stdout)
"""


def definitions() -> Mapping[str, NodeDefinition]:
    told = subprocess.run([sys.executable, "-c", TELL], capture_output=True, cwd=ROOT, check=True)
    return {name: NodeDefinition(**item) for name, item in json.loads(told.stdout).items()}


def text_to_image(number: int, together: bool, at_odds: bool) -> Saved:
    """One picture's nodes, by id, as they are saved."""

    def node(type_: str, values: Saved | None = None, **inputs: str) -> Saved:
        wires = {name: source.split(".") for name, source in inputs.items()}
        placed = {
            name: {"node": owner if owner == "file" else f"{owner}{number}", "output": output}
            for name, (owner, output) in wires.items()
        }
        return {"type": type_, "values": values or {}, "inputs": placed}

    file = "file" if together else "own"
    nodes = {
        "own": node("load_checkpoint", {"file": "starter.safetensors"}),
        "positive": node("clip_text_encode", {"text": "a red circle"}, clip=f"{file}.clip"),
        "negative": node("clip_text_encode", {"text": "blue"}, clip=f"{file}.clip"),
        "empty": node("empty_latent", {"width": 128, "height": 128}),
        "sampler": node(
            "k_sampler", {"seed": number, "steps": 12, "cfg": 4.0}, model=f"{file}.model",
            positive="positive.conditioning", negative="negative.conditioning",
            latent="empty.latent",
        ),
        "decode": node("vae_decode", latent="sampler.latent", vae=f"{file}.vae"),
        "save": node("save_image", image="decode.image"),
    }  # fmt: skip
    if together:
        del nodes["own"]
        nodes["look"] = node("output_check", image="decode.image")
    if at_odds:
        nodes["other"] = node("load_vae", {"file": "starter-b.safetensors"})
        nodes["decode"] = node("vae_decode", latent="sampler.latent", vae="other.vae")
    return {f"{id_}{number}": placed for id_, placed in nodes.items()}


def workflow(pictures: int, together: bool = False, at_odds: bool = False) -> Saved:
    nodes: Saved = {}
    if together:
        nodes["file"] = {"type": "load_checkpoint", "values": {"file": "starter.safetensors"}}
    for number in range(pictures):
        nodes.update(text_to_image(number, together, at_odds))
    return {"version": VERSION, "nodes": nodes}


INSIDE = ("positive", "negative", "sampler", "decode", "save")


def packed(pictures: int) -> Saved:
    """The same with five nodes of each picture in one subgraph."""
    entering = {"model": "own0", "clip": "own0", "vae": "own0", "latent": "empty0"}
    inside = text_to_image(0, together=False, at_odds=False)
    for id_ in INSIDE:
        for name, wire in inside[f"{id_}0"]["inputs"].items():
            if wire["node"] in entering.values():
                inside[f"{id_}0"]["inputs"][name] = {"node": "$", "output": wire["output"]}
    widgets = {name: {"node": "sampler0", "name": name} for name in ("seed", "steps")}
    subgraph = {
        "nodes": {f"{id_}0": inside[f"{id_}0"] for id_ in INSIDE},
        "inputs": {name: {} for name in entering},
        "outputs": {},
        "widgets": widgets,
    }
    nodes: Saved = {}
    for number in range(pictures):
        around = text_to_image(number, together=False, at_odds=False)
        for id_ in (f"own{number}", f"empty{number}"):
            nodes[id_] = around[id_]
        wires = {
            name: {"node": node.replace("0", str(number)), "output": name}
            for name, node in entering.items()
        }
        values = {"seed": number, "steps": 12}
        nodes[f"up{number}"] = {"type": "subgraph:picture", "values": values, "inputs": wires}
    return {"version": VERSION, "nodes": nodes, "subgraphs": {"picture": subgraph}}


def least(repeats: int, make: Callable[[int], Callable[[], object]]) -> float:
    """The least time of the calls that `make` prepares, in milliseconds."""
    times = []
    for number in range(repeats):
        call = make(number)
        begun = process_time()
        call()
        times.append(process_time() - begun)
    return min(times) * 1000


def edited(saved: Saved, **parts: Any) -> Saved:
    """The workflow with other values or wires at one sampler, or what it lies in, in its middle."""
    id_ = "sampler70" if "sampler70" in saved["nodes"] else "up70"
    node = saved["nodes"][id_]
    changed = {**node, **{key: {**node[key], **value} for key, value in parts.items()}}
    return {**saved, "nodes": {**saved["nodes"], id_: changed}}


def told(before: Workflow, saved: Saved) -> Workflow:
    """The workflow with the nodes of `before` where they are equal, as the server keeps them."""
    now = load(saved).workflow
    nodes = {
        id_: old if (old := before.nodes.get(id_)) == node else node
        for id_, node in now.nodes.items()
    }
    return now.model_copy(update={"nodes": nodes, "subgraphs": before.subgraphs})


def measure(name: str, saved: Saved, repeats: int) -> None:
    types, files = definitions(), Catalogue((ROOT / "models",), ROOT, ROOT / "none.json")
    recent = Recent()
    kept = load(saved).workflow
    check(kept, types, files, recent=recent)

    def cold(_: int) -> Callable[[], object]:
        flow = load(saved).workflow
        return lambda: check(flow, types, files)

    def value(number: int) -> Saved:
        return edited(saved, values={"steps": number + 1})

    def wire(number: int) -> Saved:
        return edited(saved, inputs={"latent": {"node": f"empty{number + 1}", "output": "latent"}})

    def after(edit: Callable[[int], Saved], as_change: bool) -> float:
        def make(number: int) -> Callable[[], object]:
            data = edit(number)
            flow = told(kept, data) if as_change else load(data).workflow
            return lambda: check(flow, types, files, recent=recent)

        return least(repeats, make)

    def drag(_: int) -> Callable[[], object]:
        flow = load(saved).workflow
        check(flow, types, files, recent=recent)
        again = load(saved).workflow
        from_ = ("sampler70" if "sampler70" in kept.nodes else "empty70", "latent")
        return lambda: targets(again, types, files, from_[0], output=from_[1], recent=recent)

    found = check(kept, types, files)
    fixes = sum(len(problem.fixes) for problem in found.problems)
    least(2, cold)
    columns = [
        least(repeats, cold),
        after(value, False),
        after(wire, False),
        after(value, True),
        after(wire, True),
        least(repeats, drag),
        least(repeats, lambda _: lambda: load(saved)),
        least(repeats, lambda _: lambda: json.dumps(found.to_json())),
    ]
    nodes = len(Flat(kept, types).workflow.nodes)
    about = f"| {name} | {nodes:,} | {len(found.problems)} ({fixes} fixes) |"
    print(about, " | ".join(f"{column:.1f}" for column in columns), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=143)
    parser.add_argument("--repeats", type=int, default=15)
    given = parser.parse_args()
    print(
        "| workflow | nodes | problems | cold | value | wire | value, told | wire, told | drag "
        "| reading | writing |"
    )
    print("| --- " * 11 + "|")
    measure("apart", workflow(given.pictures), given.repeats)
    measure("together", workflow(given.pictures, together=True), given.repeats)
    measure("packed", packed(given.pictures), given.repeats)
    measure("at odds", workflow(given.pictures, at_odds=True), given.repeats)


if __name__ == "__main__":
    main()
