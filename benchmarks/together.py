"""Pictures a second when waiting runs are sampled together, beside one after the other.

    python benchmarks/together.py [FILE] [--runs 8] [--together 1 2 4 8] [--size 128] [--steps 20]
                                  [--device auto] [--precision auto]

The real worker's runner, without the server around it: the template's text to image with another
seed and prompt in each run, everything loaded and warm. Each number of runs at once is measured
three times in turn, and the least time counts. Then pictures are held against those of single runs,
in steps of 1/255. Without FILE the starter model is used. On a graphics card the same command shows
what joining is worth there. On a processor joining is off by default.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from server.settings import ROOT, Settings

STARTER = ROOT / "models" / "checkpoints" / "starter.safetensors"
COLOURS = ("red", "blue", "green", "yellow", "black", "purple", "orange", "white")
REPEATS = 3


def workflow(file: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Text to image with a seed and a prompt of its own."""
    saved = json.loads((ROOT / "workflows" / "text-to-image.json").read_text("utf-8"))
    by_type: dict[str, Any] = {}
    for node in saved["nodes"].values():
        by_type.setdefault(node["type"], node["values"])
    by_type["load_checkpoint"]["file"] = file
    colour = COLOURS[seed % len(COLOURS)]
    by_type["clip_text_encode"]["text"] = f"a large {colour} circle on a white background"
    by_type["empty_latent"] |= {"width": options.size, "height": options.size}
    by_type["k_sampler"] |= {"seed": seed, "steps": options.steps}
    return dict(saved)


class Bench:
    """A runner, and the pictures that its runs made, by run."""

    def __init__(self, settings: Settings, scratch: Path) -> None:
        from server.worker_runs import Runner

        self.files: dict[str, Path] = {}
        self.output = settings.output
        self.trouble = ""
        self.runner = Runner(settings, self.hear, {"results": str(scratch / "results")})

    def hear(self, message: Any) -> None:
        event = getattr(message, "event", None)
        if event is not None and event.type == "output" and event.file:
            self.files[message.run] = self.output / event.file
        if message.type == "ended" and message.status != "finished":
            self.trouble = message.error or message.status

    def run(self, name: str, workflows: list[dict[str, Any]], together: int) -> float:
        """Seconds for all of them, so many at once; runs are called `name`-0, `name`-1, ..."""
        from graph.cancel import Cancel
        from server.worker_messages import Start

        starts = [Start(run=f"{name}-{k}", workflow=one) for k, one in enumerate(workflows)]
        begin = time.perf_counter()
        for place in range(0, len(starts), together):
            some = starts[place : place + together]
            if together == 1:
                self.runner.run(some[0], Cancel())
            else:
                self.runner.run_together(some, [Cancel() for _ in some])
        seconds = time.perf_counter() - begin
        if self.trouble:
            raise SystemExit(self.trouble)
        return seconds


def difference(bench: Bench, one: str, other: str, runs: int) -> int:
    """The largest difference of a pixel, in steps of 1/255."""
    import numpy
    from PIL import Image

    def pixels(name: str) -> numpy.ndarray:
        return numpy.asarray(Image.open(bench.files[name])).astype(int)

    return max(
        int(numpy.abs(pixels(f"{one}-{k}") - pixels(f"{other}-{k}")).max()) for k in range(runs)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=STARTER)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--together", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        scratch = Path(text)
        place = scratch / "models" / "checkpoints" / options.file.name
        place.parent.mkdir(parents=True)
        if options.file == STARTER:
            shutil.copy(options.file, place)
        else:
            place.symlink_to(options.file.resolve())
        settings = Settings.of(data=scratch / "data", models=(scratch / "models",))
        settings = replace(settings, device=options.device, precision=options.precision)
        settings.make_folders()
        bench = Bench(settings, scratch)
        print(bench.runner._shop.engine.describe())
        seconds: dict[int, list[float]] = {together: [] for together in options.together}
        seed = 0
        # In turn, so that whatever else the machine does meets all of them; the first one warms up.
        for repeat in range(REPEATS + 1):
            for together in options.together:
                seed += options.runs  # so that nothing comes from the cache
                work = [workflow(place.name, seed + k, options) for k in range(options.runs)]
                taken = bench.run(f"{together}-{repeat}", work, together)
                if repeat:
                    seconds[together].append(taken)
        alone = min(seconds[options.together[0]])
        for together, taken in seconds.items():
            rate, times = options.runs / min(taken), alone / min(taken)
            line = f"{together} at once: {rate:.2f} pictures/s, {times:.2f} times the first"
            if together > 1:
                bench.run("one", work, 1)
                bench.run("more", work, together)
                off = difference(bench, "one", "more", options.runs)
                line += f"; pixels off by {off}/255 at most"
            print(line, flush=True)


if __name__ == "__main__":
    main()
