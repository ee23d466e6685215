"""A checkpoint of full size through the app's own way, `python main.py run`: time and memory.

    python benchmarks/full_size.py [--family sd15 sdxl] [--sizes 512 1024] [--steps 2]
                                   [--precision auto] [--weights FOLDER] [--write] [--json FILE]

The shipped workflow with random weights (see random_weights.py): load, encode both prompts, sample
(euler, cfg 7), decode, save. The worker is looked at twenty times a second: `RssAnon` is what it
holds for itself alone, `VmHWM` its peak with what it maps of files. Swap that was used is told.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.engine_sides import memory
from benchmarks.random_weights import FAMILIES, ensured, write_vocabulary

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "RESULTS.md"
BEGIN, END = "<!-- full_size.py -->", "<!-- end of full_size.py -->"


class Watch:
    """Follows all processes below one, and keeps the peaks of the largest."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self.anonymous = self.peak = self.swapped = 0
        self._before = swap_used()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(0.05):
            for pid in below(self._pid):
                seen = memory(pid)
                self.anonymous = max(self.anonymous, seen.get("RssAnon", 0))
                self.peak = max(self.peak, seen.get("VmHWM", 0))
            self.swapped = max(self.swapped, swap_used() - self._before)


def below(pid: int) -> list[int]:
    """The process and all that descend from it."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(deeper for child in children for deeper in below(int(child)))]


def swap_used() -> int:
    """Bytes of swap in use on the machine."""
    try:
        words = Path("/proc/meminfo").read_text()
    except OSError:
        return 0
    total, free = (
        int(found[1]) if (found := re.search(rf"{name}: +(\d+)", words)) else 0
        for name in ("SwapTotal", "SwapFree")
    )
    return (total - free) * 1024


def run(family: str, size: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One run in a data folder of its own."""
    models = options.weights
    checkpoint = ensured(family, models / "checkpoints")
    write_vocabulary(models)
    sets = {
        "1.file": checkpoint.name,
        "4.width": size,
        "4.height": size,
        "5.steps": options.steps,
        "5.cfg": 7.0,
        "5.sampler": "euler",
        "5.scheduler": "normal",
    }
    command = [sys.executable, str(ROOT / "main.py"), "run", "--models", str(models)]
    command += ["--data", str(folder), "--precision", options.precision, "--device", "cpu"]
    for name, value in sets.items():
        command += ["--set", f"{name}={value}"]
    command.append(str(ROOT / "workflows" / "text-to-image.json"))
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    watch = Watch(process.pid)
    assert process.stderr is not None
    said = [(time.perf_counter() - start, line.rstrip()) for line in process.stderr]
    code = process.wait()
    wall = time.perf_counter() - start
    watch.end()
    if code:
        sys.exit("\n".join(line for _, line in said))
    steps = [at for at, line in said if re.search(r"\d+/\d+", line) and "KSampler" in line]
    last = max(steps, default=wall)
    return {
        "family": family,
        "size": size,
        "steps": options.steps,
        "wall": wall,
        "step": (steps[-1] - steps[0]) / (len(steps) - 1) if len(steps) > 1 else None,
        "after": wall - last,
        "anonymous": watch.anonymous,
        "peak": watch.peak,
        "swapped": watch.swapped,
        "said": said,
    }


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| | wall, s | s per step | decode and the end, s | RssAnon, MiB | VmHWM, MiB | swapped |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        step = "" if row["step"] is None else f"{row['step']:.1f}"
        lines.append(
            f"| {row['family']} {row['size']}, {row['steps']} steps | {row['wall']:.1f} | {step} "
            f"| {row['after']:.1f} | {row['anonymous'] >> 20:,} | {row['peak'] >> 20:,} "
            f"| {row['swapped'] >> 20} |"
        )
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the text between the marks in RESULTS.md."""
    old = RESULTS.read_text("utf-8")
    if BEGIN not in old:
        old = f"{old.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, rest = old.split(BEGIN, 1)
    RESULTS.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END, 1)[1]}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--sizes", nargs="+", type=int, default=[512, 1024])
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--weights", type=Path, default=Path(tempfile.gettempdir()) / "latent-loom")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    parser.add_argument("--json", type=Path, help="write what was measured there")
    options = parser.parse_args()
    rows = []
    for family in options.family:
        for size in options.sizes:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(run(family, size, options, Path(folder)))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    head = f"`python benchmarks/full_size.py`, {date.today().isoformat()}, {os.cpu_count()} cores:"
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    if options.write:
        write(f"{head}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
