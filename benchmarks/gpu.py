"""What only a graphics card can show of the engine: check it and measure it there.

    python benchmarks/gpu.py FILE.safetensors

FILE is a checkpoint of SD 1.x or SDXL; random weights will do. Without CUDA the script says so and
ends with exit code 2, having measured nothing. It prints a line for each question: what was asked,
the figure, and for a check "ok" or "FAILED".

- UNet step, batch 2: as loaded, without channels last, with TF32, compiled (and how long that took)
- the same with a half, and with none, of its blocks on the device; that the numbers are the same
- that attention runs in a fused kernel (flash or memory-efficient), and what it gains
- VAE decode in half precision; with too little memory, so that it goes on in tiles
- that freed models are gone from the device, and that models in use are not
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent))

from diffusion.denoiser import Denoiser
from diffusion.engine import Engine
from diffusion.streaming import CudaCarrier, stream

REPEATS = 10
WARM_UP = 3
GIB = 2**30


class Step(NamedTuple):
    """The inputs of one UNet step, as guidance makes them: two pictures, two prompts."""

    x: Tensor
    context: Tensor
    extras: dict[str, Tensor]


def main() -> int:
    """Run every part; 1 where a check failed, 2 where there is nothing to run on."""
    parser = argparse.ArgumentParser(description="Check and measure the engine on a CUDA device.")
    parser.add_argument("file", type=Path, help="a checkpoint of SD 1.x or SDXL")
    parser.add_argument("--size", type=int, default=512, help="pixels along an edge")
    options = parser.parse_args()
    if (why := why_not()) is not None:
        print(f"Nothing was measured: {why}", file=sys.stderr)
        return 2
    properties = torch.cuda.get_device_properties(0)
    print(f"{properties.name}, {properties.total_memory / GIB:.0f} GiB, torch {torch.__version__}")
    checks = [
        *steps(options.file, options.size),
        *streamed(options.file, options.size),
        attention(options.size),
        *decoding(options.file, options.size),
        *freeing(options.file),
    ]
    failed = checks.count(False)
    print(f"{len(checks) - failed} checks ok, {failed} failed")
    return 1 if failed else 0


def why_not() -> str | None:
    """Why this machine cannot run the script; None where it can."""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} was built without CUDA."
    if not torch.cuda.is_available():
        return "torch sees no CUDA device (no card, no driver, or a container without access)."
    return None


def steps(file: Path, size: int) -> list[bool]:
    """Time of a step, as loaded and otherwise."""
    engine = Engine("cuda", "auto")
    denoiser = engine.denoiser(file)
    inputs = step_of(denoiser, size)
    usual = told("UNet step, as loaded", denoiser, inputs)
    denoiser.module.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    plain = told("UNet step, channels first", denoiser, inputs)
    print(f"  channels last takes {usual / plain:.2f} of the time")
    engine.memory.free()
    del denoiser, engine

    seconds = {}
    outputs = {}
    for precision in ("float32", "tf32"):
        exact = Engine("cuda", precision).denoiser(file)
        seconds[precision] = told(f"UNet step, {precision}", exact, inputs)
        outputs[precision] = run(exact, inputs)
        del exact
    difference = relative(outputs["tf32"], outputs["float32"])
    print(f"  tf32 takes {seconds['tf32'] / seconds['float32']:.2f} of the time of float32")
    # TF32 keeps 10 bits of a product's factors: about 1e-3, over some hundred layers
    near = said("tf32 is near float32", 0 < difference < 2e-2, f"{difference:.1e} off")

    notes: list[str] = []
    compiled = Engine("cuda", "auto", compiling=True, tell=notes.append).denoiser(file)
    compiling = told("UNet step, compiled", compiled, inputs)
    print(f"  compiling takes {compiling / usual:.2f} of the time; {' '.join(notes)}")
    return [near, said("compiling works", "was compiled" in " ".join(notes))]


def streamed(file: Path, size: int) -> list[bool]:
    """A step with a part of the weights on the device: time, memory, and the same numbers."""
    denoiser = Engine("cuda", "auto").denoiser(file)
    inputs = step_of(denoiser, size)
    expected = run(denoiser, inputs)
    whole = measured(lambda: run(denoiser, inputs))
    tensors = denoiser.module.state_dict().values()
    weights = sum(tensor.nbytes for tensor in tensors)
    rounding = 512 * len(tensors)  # the allocator's, for each
    device = torch.device("cuda", torch.cuda.current_device())
    checks = []
    for share in (0.5, 0.0):
        part = Engine("cuda", "auto").denoiser(file)
        part.module.to("cpu")
        before = torch.cuda.memory_allocated()
        placed = stream(part.module, int(weights * share), CudaCarrier(device))
        seconds = measured(partial(run, part, inputs))
        here = torch.cuda.memory_allocated() - before
        same = torch.equal(run(part, inputs), expected)
        checks += [
            said(f"the same numbers with room for {share:.0%} of the weights", same),
            said("no more there than was said", here <= placed.device + rounding, f"{here} bytes"),
        ]
        print(f"  {seconds * 1e3:.1f} ms, {seconds / whole:.2f} of the time with all there")
    return checks


def attention(size: int) -> bool:
    """Self-attention of the UNet's first level, fused and not."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    tokens = (size // 8) ** 2
    query = torch.randn(2, 8, tokens, 64, device="cuda", dtype=torch.float16)
    attend = nn.functional.scaled_dot_product_attention

    def by(backend: SDPBackend) -> float | None:
        try:
            with sdpa_kernel(backend):
                return measured(lambda: attend(query, query, query))
        except RuntimeError:
            return None

    usual = measured(lambda: attend(query, query, query))
    plain = by(SDPBackend.MATH)
    flash, efficient = by(SDPBackend.FLASH_ATTENTION), by(SDPBackend.EFFICIENT_ATTENTION)
    fused = [seconds for seconds in (flash, efficient) if seconds is not None]
    print(f"attention over {tokens} tokens: {usual * 1e3:.2f} ms; flash {flash}, unfused {plain}")
    # a fifth: torch chooses, and two measurements of one kernel differ by a few percent
    return said("attention is fused", bool(fused) and usual <= 1.2 * min(fused))


def decoding(file: Path, size: int) -> list[bool]:
    """VAE decodes in half precision, and with too little memory."""
    checks = []
    for precision in ("bfloat16", "float16"):
        notes: list[str] = []
        vae = Engine("cuda", precision, tell=notes.append).vae(file)
        raw = torch.randn(1, vae.config.latent_channels, size // 8, size // 8)
        torch.cuda.reset_peak_memory_stats()
        seconds = measured(partial(vae.decode, raw))
        peak = torch.cuda.max_memory_allocated() / 1e9
        print(
            f"VAE decode, {precision}: {seconds * 1e3:.0f} ms, {peak:.2f} GB at most. {notes[:1]}"
        )
        checks.append(said(f"a picture in {precision}", bool(vae.decode(raw).isfinite().all())))
        del vae

    notes = []
    vae = Engine("cuda", "auto", tell=notes.append).vae(file)
    raw = torch.randn(1, vae.config.latent_channels, 128, 128)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    whole = vae.decode(raw)
    allowed = (torch.cuda.memory_allocated() + torch.cuda.max_memory_allocated()) / 2
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total))
    try:
        tiles = vae.decode(raw)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    checks.append(said("a decode without enough memory goes on in tiles", "tiles" in str(notes)))
    both = torch.stack([tiles.flatten(), whole.flatten()])
    alike = float(torch.corrcoef(both)[0, 1])
    checks.append(
        said("and gives nearly the same picture", alike > 0.9, f"correlation {alike:.3f}")
    )
    return checks


def freeing(file: Path) -> list[bool]:
    """What is freed is gone from the device, and what is held is not."""
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    engine = Engine("cuda", "auto")
    with engine.memory.held_by("the benchmark"):
        engine.vae(file)
    held = torch.cuda.memory_allocated() - before
    engine.denoiser(file)
    engine.memory.free()
    after = torch.cuda.memory_allocated() - before
    # 2 MiB: the allocator's own rounding
    kept = said("what is held stays, the rest goes", abs(after - held) <= 2 * 2**20)
    engine.memory.let_go()
    engine.memory.free()
    left = torch.cuda.memory_allocated() - before
    return [kept, said("freed models leave nothing", left <= 2 * 2**20, f"{left} bytes")]


def step_of(denoiser: Denoiser, size: int) -> Step:
    """Random inputs of a step at this size of picture."""
    config: Any = denoiser.module.config
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).cuda()

    extras = {}
    if config.vector_width is not None:
        extras["vector"] = noise(2, config.vector_width)
    return Step(noise(2, 4, size // 8, size // 8), noise(2, 77, config.context_width), extras)


def run(denoiser: Denoiser, inputs: Step) -> Tensor:
    """One step at σ = 1."""
    return denoiser.denoise(inputs.x, 1.0, inputs.context, inputs.extras)


def told(what: str, denoiser: Denoiser, inputs: Step) -> float:
    """The seconds of a step, printed with its peak of memory."""
    torch.cuda.reset_peak_memory_stats()
    seconds = measured(lambda: run(denoiser, inputs))
    peak = torch.cuda.max_memory_allocated() / 1e9
    print(f"{what}: {seconds * 1e3:.1f} ms, {peak:.2f} GB at most")
    return seconds


def measured(work: Callable[[], object]) -> float:
    """The least of several times, in seconds, the device's work included."""
    times = []
    for _ in range(WARM_UP + REPEATS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times[WARM_UP:])


def relative(one: Tensor, other: Tensor) -> float:
    """The root mean square of the difference, as a share of `other`'s."""
    return float((one - other).square().mean().sqrt() / other.square().mean().sqrt())


def said(what: str, good: bool, figure: str = "") -> bool:
    """Print a check's outcome, and give it back."""
    print(f"{what}: {'ok' if good else 'FAILED'}" + (f" ({figure})" if figure else ""))
    return good


if __name__ == "__main__":
    sys.exit(main())
