"""The two sides of `engine.py`, each in a process of its own: our engine, and diffusers.

torch is imported by the processes alone, after each has set itself up.
"""

import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

SIDES = ("ours", "diffusers")
PARTS = ("unet", "vae")


class Task(NamedTuple):
    """What a process measures. `dtype`: "float32" or "bfloat16"; `answer`: where it saves it."""

    side: str
    part: str
    dtype: str
    checkpoint: Path
    answer: Path


def main(connection: Connection, task: Task) -> None:
    """Prepare, run once and say "ready"; then run once for every message, and answer the seconds.

    At the message None it answers its peak memory and ends.
    """
    if task.side == "ours":
        # what the app's worker does at its start
        from diffusion import heap

        heap.let_threads_sleep()
        heap.keep_large_blocks()
    import torch

    work = _WORK[task.side, task.part](task, _inputs(task))
    with torch.no_grad():
        torch.save(work().float(), task.answer)
        connection.send("ready")
        while connection.recv() is not None:
            start = time.perf_counter()
            work()
            connection.send(time.perf_counter() - start)
    connection.send(memory())


def memory(pid: int | str = "self") -> dict[str, int]:
    """The process's `RssAnon` now and `VmHWM`, its peak, in bytes; empty without /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    words = [line.split() for line in lines]
    return {
        line[0].rstrip(":"): int(line[1]) * 1024
        for line in words
        if line and line[0] in ("RssAnon:", "VmHWM:")
    }


def _inputs(task: Task) -> dict[str, Any]:
    """SD 1.5's at 512 x 512 pixels: a latent for two conditionings, and one to decode."""
    import torch

    generator = torch.Generator().manual_seed(1)
    dtype = getattr(torch, task.dtype)
    return {
        "x": torch.randn(2, 4, 64, 64, generator=generator).to(dtype),
        "context": torch.randn(2, 77, 768, generator=generator).to(dtype),
        "latent": torch.randn(1, 4, 64, 64, generator=generator).to(dtype),
        "times": torch.tensor([500.0, 500.0]),
    }


def _our_unet(task: Task, given: dict[str, Any]) -> Callable[[], Any]:
    from diffusion.engine import Engine

    module = Engine("cpu", task.dtype).denoiser(task.checkpoint).module
    return lambda: module(given["x"], given["times"], given["context"])


def _our_vae(task: Task, given: dict[str, Any]) -> Callable[[], Any]:
    from diffusion.engine import Engine

    module: Any = Engine("cpu", task.dtype).vae(task.checkpoint).module
    return lambda: module.decode(given["latent"])


def _their_unet(task: Task, given: dict[str, Any]) -> Callable[[], Any]:
    from diffusers import UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    module = _filled(
        lambda: UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8),
        convert_ldm_unet_checkpoint,
        "model.diffusion_model.",
        task,
    )
    return lambda: module(given["x"], given["times"], given["context"], return_dict=False)[0]


def _their_vae(task: Task, given: dict[str, Any]) -> Callable[[], Any]:
    from diffusers import AutoencoderKL
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    module = _filled(
        lambda: AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
        ),
        convert_ldm_vae_checkpoint,
        "first_stage_model.",
        task,
    )
    return lambda: module.decode(given["latent"], return_dict=False)[0]


def _filled(build: Callable[[], Any], convert: Any, prefix: str, task: Task) -> Any:
    """diffusers' network with the checkpoint's weights, renamed by its own conversion."""
    import torch
    from safetensors import safe_open

    with torch.device("meta"):
        module = build()
    with safe_open(task.checkpoint, "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118  it is no dict
    dtype = getattr(torch, task.dtype)
    state = convert(weights, dict(module.config))
    module.load_state_dict({name: part.to(dtype) for name, part in state.items()}, assign=True)
    return module.eval().requires_grad_(False)


_WORK = {
    ("ours", "unet"): _our_unet,
    ("ours", "vae"): _our_vae,
    ("diffusers", "unet"): _their_unet,
    ("diffusers", "vae"): _their_vae,
}
