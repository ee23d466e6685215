"""ER-SDE-Solver-3, which integrates a reverse-time SDE of a chosen noisiness.

Cui et al. 2023, "Elucidating the Solution Space of Extended Reverse-Time SDE for Diffusion Models".
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.registry import Step, sampler
from diffusion.samplers.snr import signal

POINTS = 200
"""Rectangles in the integrals, as in the authors' code."""


class _Weights(NamedTuple):
    """What the first and the second derivative of D weigh in a step."""

    slope: float
    bend: float


@sampler(noise="fresh", order=3, below_one=True)
def er_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """ER-SDE-Solver-3 with data prediction, in time s = σ/α.

    x'/α' = r·x/α + (1-r)·D + its first two derivatives' parts + √(s'² - r²s²)·noise with
    r = φ(s')/φ(s). The derivatives are differences of the last three estimates.
    """
    times: list[float] = []
    before: Tensor | None = None
    slope_before: Tensor | None = None
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            alpha, alpha_next = signal(sigma, noise.flow), signal(sigma_next, noise.flow)
            start, end = sigma / alpha, sigma_next / alpha_next
            keep = _spread(end) / _spread(start)
            target = denoised * (1 - keep)
            slope: Tensor | None = None
            if before is not None:
                weights = _weights(start, end)
                slope = (denoised - before) / (start - times[-1])
                target = target + slope * weights.slope
                if slope_before is not None:
                    bend = (slope - slope_before) / ((start - times[-2]) / 2)
                    target = target + bend * weights.bend
            fresh = math.sqrt(end**2 - (keep * start) ** 2)
            x = x * (keep * alpha_next / alpha) + target * alpha_next
            x = x + noise(sigma, sigma_next) * (alpha_next * fresh)
            before, slope_before = denoised, slope
            times.append(start)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _spread(time: float) -> float:
    """The φ that the authors advise: s·(exp(s^0.3) + 10); φ = s is the flow, s² the usual SDE."""
    return time * (math.exp(time**0.3) + 10)


def _weights(start: float, end: float) -> _Weights:
    """(s'-s) + φ(s')·∫ds/φ and (s'-s)²/2 + φ(s')·∫(s-s₀)ds/φ from s' up to s₀ = s."""
    width = (start - end) / POINTS
    points = end + width * np.arange(POINTS)
    densities = np.array([width / _spread(point) for point in points])
    first = float(densities.sum()) * _spread(end)
    second = float((densities * (points - start)).sum()) * _spread(end)
    return _Weights(end - start + first, (end - start) ** 2 / 2 + second)
