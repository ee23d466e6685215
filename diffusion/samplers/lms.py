"""Linear multistep sampling: the slope is continued by a polynomial through its last values."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.registry import Step, sampler

HISTORY = 4


@sampler(order=2)
def lms(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Adams-Bashforth of order 4 with variable steps in σ (Hairer, Nørsett, Wanner, sec. III.5).

    It starts with an Euler step, whose error of order 2 stays in the result.
    """
    past: deque[tuple[float, Tensor]] = deque(maxlen=HISTORY)  # newest first
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        past.appendleft((sigma, (x - denoised) / sigma))
        if sigma_next == 0:
            x = denoised
        else:
            weights = _integrals([level for level, _ in past], sigma, sigma_next)
            for weight, (_, slope) in zip(weights, past, strict=True):
                x = x + slope * weight
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _integrals(nodes: list[float], start: float, end: float) -> list[float]:
    """The integrals from `start` to `end` of the Lagrange polynomials of the nodes."""
    integrals = []
    for node in nodes:
        others = [other for other in nodes if other != node]
        basis = np.poly1d(others, r=True) / np.prod([node - other for other in others])
        integral = basis.integ()
        integrals.append(float(integral(end) - integral(start)))
    return integrals
