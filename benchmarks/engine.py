"""Our engine beside diffusers on the same random SD 1.5 weights: time, memory, share of the peak.

    python benchmarks/engine.py [--parts unet vae] [--dtypes bfloat16 float32] [--repeats 5]
                                [--weights FOLDER] [--minutes 10] [--write] [--json FILE]

A step of the UNet (batch 2, latents of 64 x 64) and a decode by the VAE (512 x 512 pixels), each
side in a process of its own with its default settings, in turns (A B A B …). A short product of
matrices before and after each sample says whether the machine was at full speed; a sample of a slow
phase is thrown away and taken again. The weights (2.1 GB) are written to `--weights` at the first
run. `--write` puts the table into RESULTS.md. Nothing is compiled, no flag is given.
"""

import argparse
import json
import multiprocessing
import platform
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.engine_sides import PARTS, SIDES, Task
from benchmarks.engine_sides import main as side
from benchmarks.random_weights import ensured

# torch is imported in functions: the sides' processes import this module before they set up.

GFLOP = {"unet": 1606.6, "vae": 2514.5}
"""Of one step and one decode, attention included, as torch.utils.flop_counter counts diffusers'."""

COMFYUI = {"unet": 10.46, "vae": 8.5}
"""Seconds on another machine (see RESULTS.md): ComfyUI 0.3.64 (11 October 2025) by default."""

STEADY = 0.85
"""A sample counts where the probes beside it reach this share of the fastest probe so far."""

RESULTS = Path(__file__).parent / "RESULTS.md"
BEGIN, END = "<!-- engine.py -->", "<!-- end of engine.py -->"


class Row(NamedTuple):
    """Seconds of the good samples of each side, how many were thrown away, and peak bytes."""

    part: str
    dtype: str
    ours: list[float]
    theirs: list[float]
    thrown: int
    memory: dict[str, dict[str, int]]
    difference: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)


class Side:
    """A process that runs its part when told."""

    def __init__(self, task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=side, args=(theirs, task), daemon=True)
        self._process.start()
        theirs.close()

    def wait(self) -> None:
        assert self._connection.recv() == "ready"

    def sample(self) -> float:
        self._connection.send("run")
        return float(self._connection.recv())

    def end(self) -> dict[str, int]:
        self._connection.send(None)
        peak: dict[str, int] = self._connection.recv()
        self._process.join()
        return peak


class Probe:
    """A product of matrices of a few milliseconds, as a measure of the machine's present speed."""

    def __init__(self, dtype: str) -> None:
        import torch

        self._left = torch.randn(1024, 1024).to(getattr(torch, dtype))
        self.best = 0.0
        for _ in range(20):
            self()

    def __call__(self) -> float:
        """GFLOP/s now."""
        start = time.perf_counter()
        for _ in range(3):
            self._left @ self._left
        rate = 3 * 2 * 1024**3 / (time.perf_counter() - start) / 1e9
        self.best = max(self.best, rate)
        return rate


def peak(dtype: str) -> float:
    """The best GFLOP/s of a product and of convolutions, the machine's peak in that format."""
    import torch
    from torch.nn import functional

    kind = getattr(torch, dtype)
    left = torch.randn(2048, 2048).to(kind)
    best = 2 * 2048**3 / _least(lambda: left @ left)
    for channels, size in ((320, 64), (640, 32), (1280, 16)):
        x = torch.randn(2, channels, size, size).to(kind)
        weight = torch.randn(channels, channels, 3, 3).to(kind)
        x, weight = (part.contiguous(memory_format=torch.channels_last) for part in (x, weight))
        flop = 2 * x.numel() * channels * 9
        best = max(best, flop / _least(lambda x=x, w=weight: functional.conv2d(x, w, padding=1)))
    return best / 1e9


def _least(work: Any) -> float:
    times = []
    for _ in range(8):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(part: str, dtype: str, checkpoint: Path, repeats: int, until: float) -> Row:
    """Both sides in turns, until each has `repeats` good samples or the time is over."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        answers = {name: Path(folder) / name for name in SIDES}
        sides = {name: Side(Task(name, part, dtype, checkpoint, answers[name])) for name in SIDES}
        for one in sides.values():
            one.wait()
        ours, theirs = (torch.load(answers[name]) for name in SIDES)
    difference = float((ours - theirs).square().mean().sqrt() / theirs.square().mean().sqrt())
    probe = Probe(dtype)
    kept: list[tuple[str, float, float]] = []
    while time.monotonic() < until or not kept:
        for name, one in sides.items():
            before = probe()
            seconds = one.sample()
            kept.append((name, seconds, min(before, probe())))
        good = _good(kept, probe.best)
        if all(len(samples) >= repeats for samples in good.values()):
            break
        if not all(good.values()):
            time.sleep(1)  # a slow phase: it lasts for seconds or minutes
    good = _good(kept, probe.best)
    thrown = len(kept) - sum(map(len, good.values()))
    for name in SIDES:  # none was good: the least there is, which the count of 0 good ones tells
        if not good[name]:
            good[name] = [min(seconds for other, seconds, _ in kept if other == name)]
    peaks = {name: one.end() for name, one in sides.items()}
    return Row(part, dtype, good["ours"], good["diffusers"], thrown, peaks, difference)


def _good(kept: list[tuple[str, float, float]], best: float) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in SIDES}
    for name, seconds, rate in kept:
        if rate >= STEADY * best:
            found[name].append(seconds)
    return found


def table(rows: list[Row], peaks: dict[str, float]) -> str:
    lines = [
        "| | ours, s (n; range) | diffusers, s (n; range) | ratio | share of peak, ours / theirs"
        " | peak memory, ours / theirs, MiB (RssAnon at the end; VmHWM) | thrown away |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        shares = [
            GFLOP[row.part] / statistics.median(times) / peaks[row.dtype]
            for times in (row.ours, row.theirs)
        ]
        memories = " / ".join(
            "; ".join(f"{row.memory[name].get(key, 0) >> 20:,}" for key in ("RssAnon", "VmHWM"))
            for name in SIDES
        )
        lines.append(
            f"| {row.part} {row.dtype} | {_samples(row.ours)} | {_samples(row.theirs)} "
            f"| **{row.ratio:.2f}** | {shares[0]:.0%} / {shares[1]:.0%} | {memories} "
            f"| {row.thrown} |"
        )
    lines.append("")
    for dtype, rate in peaks.items():
        lines.append(f"- Peak measured in this run, {dtype}: {rate:,.0f} GFLOP/s.")
    for row in rows:
        lines.append(
            f"- {row.part} {row.dtype}: the answers differ by {row.difference:.2%} (relative RMS)"
            f"; {statistics.median(row.ours) / COMFYUI[row.part]:.2f} x the "
            f"{COMFYUI[row.part]} s of ComfyUI 0.3.64 by default, which ran on another machine."
        )
    return "\n".join(lines)


def _samples(times: list[float]) -> str:
    return f"{statistics.median(times):.2f} ({len(times)}; {min(times):.2f}–{max(times):.2f})"


def versions() -> str:
    import diffusers
    import torch

    able = torch.cpu.get_capabilities()
    return (
        f"{date.today():%-d %B %Y}, {able.get('cpu_name', platform.processor())}, "
        f"{torch.get_num_threads()} threads, Python {platform.python_version()}, torch "
        f"{torch.__version__}, diffusers {diffusers.__version__}"
    )


def write(text: str) -> None:
    """Put the text between the marks in RESULTS.md."""
    old = RESULTS.read_text("utf-8")
    if BEGIN not in old:
        old = f"{old.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, rest = old.split(BEGIN, 1)
    RESULTS.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END, 1)[1]}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--weights", type=Path, default=Path(tempfile.gettempdir()) / "latent-loom")
    parser.add_argument("--minutes", type=float, default=10, help="for each row, at most")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    parser.add_argument("--json", type=Path, help="add the rows to this file")
    options = parser.parse_args()
    checkpoint = ensured("sd15", options.weights)
    rows, peaks = [], {}
    for dtype in options.dtypes:
        peaks[dtype] = peak(dtype)
        for part in options.parts:
            until = time.monotonic() + 60 * options.minutes
            rows.append(compare(part, dtype, checkpoint, options.repeats, until))
            print(
                f"{part} {dtype}: {rows[-1].ratio:.2f} ({rows[-1].thrown} thrown away)", flush=True
            )
        peaks[dtype] = max(peaks[dtype], peak(dtype))
    text = f"`python benchmarks/engine.py`, {versions()}.\n\n{table(rows, peaks)}"
    print(text)
    if options.json:
        record = [row._asdict() for row in rows]
        options.json.write_text(json.dumps({"peaks": peaks, "rows": record}, indent=1) + "\n")
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
