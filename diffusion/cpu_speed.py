"""Which of two ways of the same computation is faster on this processor, by a short trial.

torch multiplies float32 by MKL, which is slow on processors of other makers, and so does its fused
attention in either format; oneDNN is not. Which of `cpu_ways` wins is for the machine to say.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from diffusion import cpu_ways

log = logging.getLogger(__name__)

MARGIN = 0.95
"""Our way must take less than this share of the usual way's time: noise alone must not choose."""

REPEATS = 5


class Pair(NamedTuple):
    """The least seconds that the same work took one thread by torch's usual way and by ours."""

    usual: float
    ours: float


class Trial(NamedTuple):
    """What was measured in one number format; see `diffusion.operators` for the four."""

    attention: Pair
    linear: Pair
    gated: Pair
    doubling: Pair


class Ways(NamedTuple):
    """Where our way is to be taken."""

    attention: bool
    linear: bool
    gated: bool
    doubling: bool


USUAL = Ways(False, False, False, False)


def choose(trial: Trial) -> Ways:
    """Ours where it was clearly faster."""
    return Ways(*map(faster, trial))


def faster(pair: Pair) -> bool:
    """Whether our way was clearly faster."""
    return pair.ours < MARGIN * pair.usual


def ways(dtype: torch.dtype) -> Ways:
    """The ways for this number format, tried at the first call (some tenths of a second).

    Kept for as long as the process lives, and in the file of `keep_in`, so that the same machine
    computes the same way the next time.
    """
    if dtype not in _ways:
        _ways[dtype] = _found(dtype)
    return _ways[dtype]


def keep_in(path: Path) -> None:
    """Keep trials in this file, and take from it what was tried before."""
    global _file
    _file = path


_ways: dict[torch.dtype, Ways] = {}
_file: Path | None = None


def _found(dtype: torch.dtype) -> Ways:
    """From the file if it was tried on this machine before, else tried now."""
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not there:
        return USUAL
    name, kept = _name(dtype), _kept()
    trial = _read(kept.get(name))
    if trial is None:
        try:
            trial = _tried(dtype)
        except (RuntimeError, AttributeError) as error:
            # The operators are torch's own affair: another version may lack one.
            log.info("torch's usual ways are taken in %s: %s", dtype, error)
            return USUAL
        _keep({**kept, name: trial})
    return choose(trial)


def _read(kept: object) -> Trial | None:
    """The trial in the form that JSON gives back; None where it is another's."""
    try:
        return Trial(*(Pair(*map(float, pair)) for pair in kept))  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return None


def _tried(dtype: torch.dtype) -> Trial:
    generator = torch.Generator().manual_seed(0)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(dtype)

    with torch.inference_mode(), _alone():
        x, weight, bias = numbers(2048, 320), numbers(1280, 320), numbers(1280)
        linear = _timed(
            lambda: functional.linear(x, weight, bias), lambda: cpu_ways.linear(x, weight, bias)
        )
        gated = _timed(
            lambda: _gated(functional.linear(x, weight, bias)),
            lambda: cpu_ways.gated_gelu(x, weight, bias),
        )
        query, key, value = (numbers(1, 1024, 2, 64).transpose(1, 2) for _ in range(3))
        attention = _timed(
            lambda: functional.scaled_dot_product_attention(query, key, value),
            lambda: cpu_ways.attention_in_blocks(query, key, value, onednn=faster(linear)),
        )
        picture = numbers(1, 128, 32, 32).contiguous(memory_format=torch.channels_last)
        taps = numbers(128, 128, 3, 3).contiguous(memory_format=torch.channels_last)
        doubling = _timed(
            lambda: functional.conv2d(functional.interpolate(picture, scale_factor=2.0), taps),
            lambda: cpu_ways.doubled_conv(picture, taps, None),
        )
    return Trial(attention, linear, gated, doubling)


def _gated(x: Tensor) -> Tensor:
    value, gate = x.chunk(2, dim=-1)
    return value * functional.gelu(gate)


def _timed(usual: Callable[[], Tensor], ours: Callable[[], Tensor]) -> Pair:
    """The least times, in turns, so that a slow moment meets both."""
    times = [(_seconds(usual), _seconds(ours)) for _ in range(1 + REPEATS)][1:]
    return Pair(min(pair[0] for pair in times), min(pair[1] for pair in times))


def _seconds(work: Callable[[], Tensor]) -> float:
    start = _clock()
    work()
    return _clock() - start


def _clock() -> float:
    """The thread's own seconds, which go on only while it computes; all that pass where a system
    counts them too coarsely."""
    fine = time.get_clock_info("thread_time").resolution < 1e-4
    return time.thread_time() if fine else time.perf_counter()


@contextmanager
def _alone() -> Iterator[None]:
    """One thread, which waits for no other: else a busy core would be all that is measured."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _name(dtype: torch.dtype) -> str:
    """What a trial depends on, in words."""
    able = torch.cpu.get_capabilities()
    processor = f"{able.get('cpu_name', '')} {torch.backends.cpu.get_cpu_capability()}"
    return f"{processor}, torch {torch.__version__}, {dtype}"


def _kept() -> dict[str, object]:
    """What the file holds: trials by `_name`."""
    if _file is None:
        return {}
    try:
        found = json.loads(_file.read_text("utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: it is written anew
        return {}
    return found if isinstance(found, dict) else {}


def _keep(trials: dict[str, object]) -> None:
    if _file is None:
        return
    temporary = _file.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(trials, indent=1) + "\n", "utf-8")
        os.replace(temporary, _file)
    except OSError as error:
        log.info("The trial of this processor could not be kept: %s", error)
