"""Noise levels and schedules a second time: float64 numpy, from their published formulas.

Nothing of the product is used here. A discrete model's table is σ of 1000 timesteps, a flow's is
σ = s·t/(1+(s-1)t) at t = k/N.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta as beta_distribution

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Discrete:
    """Stable Diffusion's levels; the network is told whole timesteps, 0…999."""

    zero_snr: bool = False
    flow = False

    @cached_property
    def table(self) -> Array:
        betas = np.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000) ** 2
        kept = np.cumprod(1 - betas)
        if self.zero_snr:  # Lin et al. 2024, Algorithm 1; the last would be 0
            roots = np.sqrt(kept)
            kept = ((roots - roots[-1]) * roots[0] / (roots[0] - roots[-1])) ** 2
            kept[-1] = 4.8973451890853435e-08
        return np.sqrt((1 - kept) / kept)

    @cached_property
    def logs(self) -> Array:
        return np.log(self.table)

    def time(self, sigma: float) -> float:
        return float(np.abs(self.logs - math.log(sigma)).argmin())

    def sigma(self, time: float) -> float:
        return math.exp(np.interp(time, np.arange(1000), self.logs))

    def after(self, share: float) -> float:
        """The level after a share, above 0 and below 1, of the way."""
        return self.sigma((1 - share) * 999)


@dataclass(frozen=True)
class Flow:
    """A flow's levels; the network is told σ·`told`."""

    shift: float
    count: int
    told: float
    flow = True

    @cached_property
    def table(self) -> Array:
        return np.array([self.after(1 - k / self.count) for k in range(1, self.count + 1)])

    def time(self, sigma: float) -> float:
        return sigma * self.told

    def sigma(self, time: float) -> float:
        return self.after(1 - time / self.told)

    def after(self, share: float) -> float:
        t = 1 - share
        return self.shift * t / (1 + (self.shift - 1) * t)


Levels = Discrete | Flow


def schedule(levels: Levels, name: str, n: int) -> list[float]:
    """The n steps' levels and the final 0, descending."""
    table = levels.table
    high, low = float(table[-1]), float(table[0])
    first, last = levels.time(high), levels.time(low)
    size = len(table)
    ramp = np.linspace(0, 1, n)
    quantiles = beta_distribution.ppf(1 - np.arange(n) / n, 0.6, 0.6)
    by_name: dict[str, Callable[[], list[float]]] = {
        "normal": lambda: [levels.sigma(t) for t in np.linspace(first, last, n)],
        "sgm_uniform": lambda: [levels.sigma(t) for t in np.linspace(first, last, n + 1)[:-1]],
        "karras": lambda: list((high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7),
        "exponential": lambda: list(np.exp(np.linspace(math.log(high), math.log(low), n))),
        "simple": lambda: [float(table[-(1 + int(k * size / n))]) for k in range(n)],
        "ddim_uniform": lambda: [float(v) for v in table[1 :: max(size // n, 1)][::-1]],
        "beta": lambda: [
            float(table[k])
            for k in sorted({int(np.rint(q * (size - 1))) for q in quantiles}, reverse=True)
        ],
        "linear_quadratic": lambda: _linear_quadratic(n, high),
        "kl_optimal": lambda: list(np.tan(ramp * math.atan(low) + (1 - ramp) * math.atan(high))),
    }
    return [*map(float, by_name[name]()), 0.0]


def _linear_quadratic(n: int, high: float) -> list[float]:
    threshold, slow = 0.025, n // 2
    quick = n - slow
    rest = slow - threshold * n
    bend = rest / (slow * quick**2)
    line = threshold / slow - 2 * rest / quick**2
    shares = [k * threshold / slow for k in range(slow)]
    shares += [bend * k**2 + line * k + bend * slow**2 for k in range(slow, n)]
    return [(1 - share) * high for share in shares]


def run_levels(levels: Levels, name: str, n: int, *, discard: bool) -> list[float]:
    """As above in float32; `discard`: of n + 1 steps, without the last positive level."""
    longer = schedule(levels, name, n + discard)
    made = [*longer[:-2], 0.0] if discard else longer
    return [float(np.float32(sigma)) for sigma in made]
