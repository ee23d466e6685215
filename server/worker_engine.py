"""The engine as the settings want it, and what is said of its errors and results."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from diffusion import cpu_speed, shape_errors
from diffusion.engine import Engine
from diffusion.shortage import NotEnoughMemory, is_shortage
from graph.definition import OutputDefinition
from server.settings import Settings
from server.worker_values import tensors_in


def engine_of(settings: Settings, tell: Callable[[str], None]) -> Engine:
    """The engine of a worker; `tell` is given sentences for the person who waits."""
    cpu_speed.keep_in(settings.cache / "speed.json")
    return Engine(
        device=settings.device,
        precision=settings.precision,
        memory_budget=settings.memory,
        tokenizer_folders=tokenizer_folders(settings),
        compiling=settings.compiling,
        tell=tell,
    )


def tokenizer_folders(settings: Settings) -> tuple[Path, ...]:
    """Where CLIP's vocabulary may lie; others lie beside it."""
    return tuple(root / "tokenizers" / "clip" for root in settings.models)


def explain(error: Exception) -> str | None:
    """The sentence for an error that says too little by itself: memory that ran out, shapes."""
    if isinstance(error, NotEnoughMemory):
        return str(error)
    if is_shortage(error):
        return (
            "There is not enough memory. Make the picture or the batch smaller, or close other "
            "programs that use the device."
        )
    return shape_errors.explained(str(error)) if isinstance(error, RuntimeError) else None


def examine(definition: OutputDefinition, value: Any) -> str | None:
    """What is wrong with an output: numbers that are none."""
    if any(not torch.isfinite(tensor).all() for tensor in tensors_in(value)):
        return "holds numbers that are not finite (NaN): something went wrong while computing it"
    return None
