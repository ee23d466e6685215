"""What a check of 1,000 nodes costs: cold, after an edit, and while a wire is dragged.

    python benchmarks/check.py [--pictures 143] [--repeats 15]

The workflow is 143 times text to image (7 nodes), either each with a loader of its own ("apart") or
all wired to one ("together"); "at odds" has a VAE of another space in each, which gives 143
problems, each with its fixes. The definitions are those of the program's own nodes, handed over as
JSON by another process, and the files are those that ship: as in the server, which has no torch.
Every check gets a workflow that was read anew. The times are the least of the repeats, in the
process's own (CPU) milliseconds: a check waits for nothing.
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
    return {"nodes": nodes}


def least(repeats: int, make: Callable[[int], Callable[[], object]]) -> float:
    """The least time of the calls that `make` prepares, in milliseconds."""
    times = []
    for number in range(repeats):
        call = make(number)
        begun = process_time()
        call()
        times.append(process_time() - begun)
    return min(times) * 1000


def edited(saved: Saved, **sampler: Any) -> Saved:
    """The workflow with other values or wires at one sampler in its middle."""
    id_ = "sampler70"
    node = saved["nodes"][id_]
    changed = {**node, **{key: {**node[key], **value} for key, value in sampler.items()}}
    return {"nodes": {**saved["nodes"], id_: changed}}


def measure(name: str, saved: Saved, repeats: int) -> None:
    types, files = definitions(), Catalogue((ROOT / "models",), ROOT, ROOT / "none.json")
    recent = Recent()

    def cold(_: int) -> Callable[[], object]:
        flow = load(saved).workflow
        return lambda: check(flow, types, files)

    def after(data: Saved) -> Callable[[], object]:
        flow = load(data).workflow
        return lambda: check(flow, types, files, recent=recent)

    def value(number: int) -> Callable[[], object]:
        return after(edited(saved, values={"steps": number + 1}))

    def wire(number: int) -> Callable[[], object]:
        other = {"node": f"empty{number + 1}", "output": "latent"}
        return after(edited(saved, inputs={"latent": other}))

    def drag(_: int) -> Callable[[], object]:
        flow = load(saved).workflow
        check(flow, types, files, recent=recent)
        again = load(saved).workflow
        return lambda: targets(again, types, files, "sampler70", output="latent", recent=recent)

    found = check(load(saved).workflow, types, files)
    fixes = sum(len(problem.fixes) for problem in found.problems)
    least(2, cold)
    print(
        f"| {name} | {len(saved['nodes']):,} | {len(found.problems)} ({fixes} fixes) "
        f"| {least(repeats, cold):.1f} | {least(repeats, value):.1f} | {least(repeats, wire):.1f} "
        f"| {least(repeats, drag):.1f} "
        f"| {least(repeats, lambda _: lambda: load(saved)):.1f} "
        f"| {least(repeats, lambda _: lambda: json.dumps(found.to_json())):.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=143)
    parser.add_argument("--repeats", type=int, default=15)
    given = parser.parse_args()
    print("| workflow | nodes | problems | cold | value | wire | drag | reading | writing |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    measure("apart", workflow(given.pictures), given.repeats)
    measure("together", workflow(given.pictures, together=True), given.repeats)
    measure("at odds", workflow(given.pictures, at_odds=True), given.repeats)


if __name__ == "__main__":
    main()
