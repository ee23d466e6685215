"""How long it takes to know a folder of 10,000 model files: cold, and when nothing changed.

    python benchmarks/catalogue.py [--files 10000] [--server] [--json FILE]

One file in ten is a checkpoint with the header of a published one (SD 1.x, SD 2.x, SDXL, its
refiner, SD3), the others are LoRAs of 264 modules, of SD 1.x and SDXL in turn. The files are
sparse: they have their full size and take no room. "Cold" is the first start of the program (the
files' headers lie in the operating system's cache, since they were just written), "unchanged" the
next start, and "again" a second look by the same program. Targets: 30 s and 1 s. With --server the
program itself is started on the folder, and the page and the API are asked meanwhile.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from diffusion.identity.whole import whole  # noqa: E402
from server.catalogue import Catalogue  # noqa: E402

CHECKPOINTS = (
    "checkpoint_sd15",
    "checkpoint_sdxl",
    "checkpoint_sd2",
    "checkpoint_sdxl_refiner",
    "checkpoint_sd3_medium",
)
ASKED = ("/", "/api/status", "/api/spaces", "/api/models")
PATIENCE = 300
"""Seconds after which a start of the server is given up."""


def header(shapes: dict[str, tuple[int, ...]]) -> tuple[bytes, int]:
    """The header of a float16 file, and the size of the whole file."""
    entries, end = {}, 0
    for name, shape in shapes.items():
        size = 2
        for length in shape:
            size *= length
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text, 8 + len(text) + end


def lora(width: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a LoRA of 264 modules, for prompts of this width."""
    modules = [
        f"lora_unet_down_blocks_{k % 3}_attentions_{k // 96}_transformer_blocks_0_{layer}"
        for k in range(0, 192, 8)
        for layer in ("attn1_to_q", "attn1_to_k", "attn1_to_v", "attn1_to_out_0",
                      "attn2_to_q", "attn2_to_k", "attn2_to_v", "ff_net_2")
    ]  # fmt: skip
    modules += [
        f"lora_te_text_model_encoder_layers_{k}_{layer}"
        for k in range(12)
        for layer in ("mlp_fc1", "mlp_fc2", "self_attn_k_proj", "self_attn_out_proj",
                      "self_attn_q_proj", "self_attn_v_proj")
    ]  # fmt: skip
    found: dict[str, tuple[int, ...]] = {}
    for number, module in enumerate(modules):
        entering = width if "attn2_to_k" in module or "attn2_to_v" in module else 320
        found[f"{module}_{number}.alpha"] = ()
        found[f"{module}_{number}.lora_down.weight".replace(f"_{number}.", ".")] = (16, entering)
        found[f"{module}_{number}.lora_up.weight".replace(f"_{number}.", ".")] = (320, 16)
    return found


def fill(models: Path, files: int) -> None:
    """Write the folder: checkpoints/ and loras/, in subfolders of a hundred."""
    checkpoints = [header(dict(whole(name))) for name in CHECKPOINTS]
    loras = [header(lora(width)) for width in (768, 2048)]
    for number in range(files):
        kind, kinds = ("loras", loras) if number % 10 else ("checkpoints", checkpoints)
        data, size = kinds[number // 10 % len(kinds)]
        folder = models / kind / str(number // 1000)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{number:05}.safetensors").open("wb") as file:
            file.write(data)
            file.truncate(size)


def timed(catalogue: Catalogue) -> tuple[float, float]:
    """Seconds that passed for one look at the folders, and seconds of the processor."""
    began, worked = perf_counter(), _worked()
    catalogue.refresh()
    return perf_counter() - began, _worked() - worked


def _worked() -> float:
    """Processor seconds of this process and, but on Windows, of those that it waited for."""
    return sum(os.times()[:4])


def measured(folder: Path, files: int) -> dict[str, Any]:
    """The times of a first start, of the next one, and of a second look."""

    def start() -> Catalogue:
        return Catalogue([folder / "models"], folder / "input", folder / "models.json")

    first = start()
    times = {"cold": timed(first)}
    next_one = start()
    times["unchanged"], times["again"] = timed(next_one), timed(next_one)
    known = sum(len(next_one.names(kind)) for kind in ("checkpoints", "loras"))
    if known != files:
        raise SystemExit(f"{known} of {files} files were found.")
    return times


def served(folder: Path, files: int) -> dict[str, Any]:
    """How long the server takes to list every file, and how long it lets others wait meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "main.py", "--port", str(port), "--no-browser",
               "--models", str(folder / "models"), "--data", str(folder / "data")]  # fmt: skip
    began = perf_counter()
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet, env={**os.environ})
    try:
        waits: dict[str, list[float]] = {path: [] for path in ASKED}
        page = _up(port, began)
        listed = 0
        while listed < files:
            for path in ASKED:
                asked = perf_counter()
                answer = _get(port, path)
                waits[path].append(perf_counter() - asked)
                if path == "/api/models":
                    listed = sum(map(len, _of_ours(json.loads(answer))))
            if perf_counter() - began > PATIENCE:
                raise SystemExit(f"Only {listed} files were listed after {PATIENCE} s.")
        return {
            "page": page,
            "listed": perf_counter() - began,
            "waits": {path: (sorted(times)[len(times) // 2], max(times))
                      for path, times in waits.items()},
        }  # fmt: skip
    finally:
        server.terminate()
        server.wait()


def _up(port: int, began: float) -> float:
    """Wait for the first page; the seconds since the start."""
    while True:
        try:
            _get(port, "/api/status")
            return perf_counter() - began
        except OSError:
            if perf_counter() - began > PATIENCE:
                raise SystemExit("The server did not start.") from None
            sleep(0.05)


def _get(port: int, path: str) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as answer:  # the editor is being built, and the page says so
        return answer.read()


def _of_ours(models: dict[str, Any]) -> Iterator[list[Any]]:
    """The files of the benchmark's folder: the program's own models are beside them."""
    for kind in ("checkpoints", "loras"):
        yield [item for item in models[kind] if item["title"].isdecimal()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catalogue-") as name:
        folder = Path(name)
        fill(folder / "models", chosen.files)
        found = measured(folder, chosen.files)
        for what, (passed, worked) in found.items():
            print(f"{what + ':':12}{passed:8.2f} s ({worked:.2f} s of the processor)")
        if chosen.server:
            found["server"] = served(folder, chosen.files)
            print(f"server: answers after {found['server']['page']:.1f} s, "
                  f"lists all after {found['server']['listed']:.1f} s")  # fmt: skip
            for path, (usual, longest) in found["server"]["waits"].items():
                print(f"  {path:14}{usual:8.3f} s usually, {longest:.3f} s at most")
        if chosen.json:
            chosen.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
