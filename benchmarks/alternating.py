"""What it costs to alternate between two checkpoints, with and without preferring a loaded one.

    python benchmarks/alternating.py [FILE FILE] [--runs 20] [--memory GB] [--size 128] [--steps 4]

Twenty runs that ask for one checkpoint and the other in turn are queued while the queue is paused,
and then run by one worker whose memory holds only one of the two. Once as always, when a worker
passes over runs for those whose models it has loaded, within bounds; and once in strict order.
Without files, two copies of the starter model are used, which load in a moment: of large ones the
ratio is larger. Every run has a seed of its own, so nothing comes from the cache.
"""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.queueing import Server, server
from server.settings import ROOT

DRIVER = """
import sys
from pathlib import Path
from server.queue import progress
from server.serve import serve
from server.settings import Settings
folder, order, memory = sys.argv[1:]
if order == "strict":
    progress.LOOKAHEAD = 0
settings = Settings.of(Path(folder), port=0, open_browser=False, memory=int(memory))
sys.exit(serve(settings))
"""

STARTER = ROOT / "models" / "checkpoints" / "starter.safetensors"


def workflow(checkpoint: str, seed: int, size: int, steps: int) -> dict[str, Any]:
    """Text to image, with this checkpoint and seed."""
    saved = json.loads((ROOT / "workflows" / "text-to-image.json").read_text("utf-8"))
    by_type = {node["type"]: node["values"] for node in saved["nodes"].values()}
    by_type["load_checkpoint"]["file"] = checkpoint
    by_type["empty_latent"] |= {"width": size, "height": size}
    by_type["k_sampler"] |= {"seed": seed, "steps": steps}
    return dict(saved)


def alternate(program: Server, names: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Seconds for all runs, how often the checkpoint changed, and how many parts were loaded."""
    program.ask("/api/queue/pause", {"pause": "after"})
    asked = {}
    for number in range(options.runs):
        name = names[number % 2]
        body = {"workflow": workflow(name, number, options.size, options.steps)}
        asked[program.ask("/api/runs", body)["id"]] = name
    begin = time.perf_counter()
    program.ask("/api/queue/pause", {"pause": "no"})
    while program.left():
        time.sleep(0.05)
    seconds = time.perf_counter() - begin
    runs = program.ask("/api/runs?limit=1000")["runs"]
    failed = [run["error"] for run in runs if run["status"] != "finished"]
    if failed:
        raise SystemExit(failed[0])
    order = [asked[run["id"]] for run in sorted(runs, key=lambda run: run["started"])]
    models = program.ask("/api/memory")["models"]
    return {
        "seconds": round(seconds, 2),
        "changes": sum(one != other for one, other in itertools.pairwise(order)),
        "parts_loaded": max(int(model["id"]) for model in models),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--memory", type=float, default=0.03, help="GB that models may take")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--order", choices=("preferred", "strict"), action="append")
    options = parser.parse_args()
    files = options.files or [STARTER, STARTER]
    for order in options.order or ("preferred", "strict"):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for name in ("workflows", "models/checkpoints"):
                (folder / name).mkdir(parents=True)
            names = []
            for letter, file in zip("ab", files, strict=True):
                names.append(f"{letter}-{file.name}")
                place = folder / "models" / "checkpoints" / names[-1]
                shutil.copy(file, place) if file == STARTER else place.symlink_to(file.resolve())
            arguments = (order, str(int(options.memory * 1e9)))
            with server(folder, DRIVER, *arguments) as program:
                print(order, json.dumps(alternate(program, names, options)), flush=True)


if __name__ == "__main__":
    main()
