"""What the starter's trainings share: learning rate by progress, averages, saving, resuming."""

import copy
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

RUNS = Path(__file__).parent / "runs"


@dataclass
class Budget:
    """How long a training goes on: a number of steps, or minutes of work where no steps are given.

    Time spent before a resume counts, so that a longer budget continues an annealed training.
    """

    minutes: float
    steps: int | None = None
    step: int = 0
    seconds: float = 0.0
    _tick: float = 0.0

    def __post_init__(self) -> None:
        self._tick = time.monotonic()

    def advance(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._tick
        self._tick = now
        self.step += 1

    @property
    def progress(self) -> float:
        """From 0 at the start to 1 at the end."""
        if self.steps is not None:
            return min(1.0, self.step / self.steps)
        return min(1.0, self.seconds / (60 * self.minutes))

    def rate(self, peak: float, warmup: int = 50) -> float:
        """A short linear rise, a plateau, and from half way a cosine fall to 1 % of the peak."""
        fall = max(0.0, (self.progress - 0.4) / 0.6)
        cosine = 0.5 * (1 + math.cos(math.pi * fall))
        return peak * min(1.0, (self.step + 1) / warmup) * (0.01 + 0.99 * cosine)


class Average:
    """An exponential moving average of a module's weights."""

    def __init__(self, module: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.module = copy.deepcopy(module).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        # young averages forget their random start faster
        keep = min(self.decay, (1 + step) / (10 + step))
        own: list[Tensor] = list(self.module.parameters())
        torch._foreach_lerp_(own, list(module.parameters()), 1 - keep)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Writes a resumable state, replacing the old one only when the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load_state(path: Path) -> dict[str, Any] | None:
    """The saved state, or None where a training has not been saved yet."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def training_device() -> torch.device:
    """The GPU where CUDA has one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def report(line: str) -> None:
    """Prints a line of progress with the time of day, at once."""
    print(time.strftime("%H:%M:%S"), line, flush=True)
