"""UniPC: a predictor and a corrector that share their evaluations of the network.

Zhao et al. 2023, "UniPC: A Unified Predictor-Corrector Framework", with data prediction. λ = -log
σ, h a step's length in it. The paper writes in a picture of shrinking scale α; here everything is
divided by α.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.euler import towards
from diffusion.samplers.registry import Step, sampler

HIGHEST_ORDER = 3

LAST_SIGMA = 0.001
"""Stands for a final 0, where λ would be infinite."""


class _Known(NamedTuple):
    """A denoised estimate and the λ it was made at."""

    time: float
    denoised: Tensor


@sampler(order=2, discard_penultimate=True)
def uni_pc(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """UniPC-3 (Algorithms 1 and 2) with B(h) = h."""
    return _walk(denoise, x, sigmas, lambda h: h)


@sampler(order=2, discard_penultimate=True)
def uni_pc_bh2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """UniPC-3 (Algorithms 1 and 2) with B(h) = eʰ - 1."""
    return _walk(denoise, x, sigmas, math.expm1)


def _walk(
    denoise: Denoise, x: Tensor, sigmas: Tensor, scale: Callable[[float], float]
) -> Iterator[Step]:
    """Alternate: evaluate, correct the step that led here, predict the next one.

    The order grows from 1 as estimates come in and falls back to 1 at the end; the last state is
    not corrected, since that would need one more evaluation: a run is of order 3 up to its last
    step.
    """
    levels = [sigma or LAST_SIGMA for sigma in sigmas.tolist()]
    steps = len(levels) - 1
    highest = max(1, min(HIGHEST_ORDER, steps - 1))
    past: deque[_Known] = deque(maxlen=highest)  # newest first
    start, order = x, 0  # where the last prediction began, and its order
    for index in range(1, steps + 1):
        sigma = levels[index - 1]
        here = _Known(-math.log(sigma), denoise(x, sigma))
        if past:
            start = _update(start, past, order, -here.time, scale, here.denoised)
        past.appendleft(here)
        order = min(highest, index, steps + 1 - index)
        x = _update(start, past, order, math.log(levels[index]), scale)
        yield Step(index, steps, sigma, here.denoised, x)


def _update(
    x: Tensor,
    past: deque[_Known],
    order: int,
    log_sigma: float,
    scale: Callable[[float], float],
    arrived: Tensor | None = None,
) -> Tensor:
    """x, at the newest of `past`, moved to the level e^`log_sigma`.

    With `arrived`, the estimate at that level, it is the corrector UniC, without it the predictor
    UniP (eqs. 3 and 9).
    """
    newest = past[0]
    h = -log_sigma - newest.time
    before = [past[i] for i in range(1, order)]
    ratios = [(known.time - newest.time) / h for known in before]
    rises = [
        (known.denoised - newest.denoised) / ratio
        for known, ratio in zip(before, ratios, strict=True)
    ]
    if arrived is not None:
        ratios, rises = [*ratios, 1.0], [*rises, arrived - newest.denoised]
    x = towards(x, newest.denoised, math.exp(-newest.time), math.exp(log_sigma))
    for weight, rise in zip(_weights(ratios, h, scale(-h)), rises, strict=True):
        x = x - rise * (scale(-h) * weight)
    return x


def _weights(ratios: list[float], h: float, divisor: float) -> list[float]:
    """The coefficients a of R·a = b: with them the update is exact for polynomials (eqs. 5 and 6).

    Row k of R holds the ratios to the power k; b holds k!·φ_k(-h)·(-h)/B with φ the exponential
    integrators' functions, φ_{k+1}(z) = (φ_k(z) - 1/k!)/z.
    """
    count = len(ratios)
    if count < 2:
        return [0.5] * count  # one equation is met to its order by 1/2 whatever B is (sec. 3.4)
    matrix = np.array([[ratio**k for ratio in ratios] for k in range(count)])
    phi = math.expm1(-h) / -h - 1
    right = []
    for k in range(1, count + 1):
        right.append(phi * math.factorial(k) / divisor)
        phi = phi / -h - 1 / math.factorial(k + 1)
    return [float(weight) for weight in np.linalg.solve(matrix, np.array(right))]
