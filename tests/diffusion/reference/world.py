"""What a reference sampler walks with: a guided model in float64, and its noise."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torchsde
from numpy.typing import NDArray

from tests.diffusion.reference.levels import Levels

Array = NDArray[np.float64]
Output = Callable[[Array, float, str], Array]
"""`output(x, timestep, side)`: a network's answer to its scaled input; side "towards" or "away"."""


class Both(NamedTuple):
    """The guided estimate and the one that guidance leads away from."""

    denoised: Array
    away: Array


@dataclass(frozen=True)
class Guided:
    """A model: its levels, what its output means, and classifier-free guidance."""

    levels: Levels
    kind: str
    output: Output
    cfg: float

    def alpha(self, sigma: float) -> float:
        """How much of the picture is in x at σ."""
        return 1 - sigma if self.levels.flow else 1.0

    def log_ratio(self, sigma: float) -> float:
        """λ = log(α/σ)."""
        return math.log(self.alpha(sigma) / sigma)

    def sigma_of(self, log_ratio: float) -> float:
        ratio = math.exp(-log_ratio)
        return ratio / (1 + ratio) if self.levels.flow else ratio

    def estimate(self, x: Array, sigma: float, side: str) -> Array:
        fed = x if self.kind == "flow" else x / math.sqrt(sigma**2 + 1)
        output = self.output(fed, self.levels.time(sigma), side)
        if self.kind == "velocity":
            return x / (sigma**2 + 1) - output * sigma / math.sqrt(sigma**2 + 1)
        return x - sigma * output

    def both(self, x: Array, sigma: float) -> Both:
        to, away = self.estimate(x, sigma, "towards"), self.estimate(x, sigma, "away")
        return Both(away + (to - away) * self.cfg, away)

    def __call__(self, x: Array, sigma: float) -> Array:
        return self.both(x, sigma).denoised

    def start(self, noise: Array, sigma: float) -> Array:
        """A run's start from an empty latent."""
        if self.kind == "flow":
            return noise * sigma
        top = float(self.levels.table[-1])
        return noise * (math.sqrt(1 + sigma**2) if sigma >= top * (1 - 1e-5) else sigma)


class Draws:
    """Noise of single pictures: picture k's generator is seeded with seed + k."""

    def __init__(self, seed: int, shape: tuple[int, ...]) -> None:
        self.seeds = [seed + k for k in range(shape[0])]
        self.shape = (1, *shape[1:])
        self.generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]

    def fresh(self) -> Array:
        drawn = [torch.randn(self.shape, generator=one) for one in self.generators]
        return torch.cat(drawn).double().numpy()

    def brownian(self, low: float, high: float) -> Callable[[float, float], Array]:
        """Increments of a Brownian path per picture, walked from `high` down to `low`."""
        trees = [
            torchsde.BrownianTree(t0=low, w0=torch.zeros(self.shape), t1=high, entropy=seed)
            for seed in self.seeds
        ]

        def between(sigma: float, sigma_next: float) -> Array:
            ends = max(sigma_next, round(low, 6)), min(sigma, round(high, 6))
            walked = -torch.cat([tree(*ends) for tree in trees]).double().numpy()
            return walked / math.sqrt(sigma - sigma_next)

        return between


@dataclass(frozen=True)
class Run:
    """One walk: the model, the levels, and the noise of a step."""

    model: Guided
    levels: list[float]
    noise: Callable[[float, float], Array]

    def pairs(self) -> Iterator[tuple[float, float]]:
        return zip(self.levels, self.levels[1:], strict=False)
