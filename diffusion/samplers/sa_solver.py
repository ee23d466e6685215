"""SA-Solver: a stochastic Adams predictor and corrector (Xue et al. 2023).

Between two levels the SDE with noisiness τ has the solution x' = (σ'/σ)e^(-τ²h)·x + α'·∫ D +
σ'√(1-e^(-2τ²h))·noise, where ∫ weighs D by (1+τ²)e^(-(1+τ²)(h-u)) over u in 0…h of λ; D is replaced
by a polynomial through several estimates.
"""

import math
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.lagrange import lagrange_sums, quadrature
from diffusion.samplers.registry import Step, sampler
from diffusion.samplers.snr import half_log_snr, signal

PREDICTOR_ORDER = 3
CORRECTOR_ORDER = 4


class _Known(NamedTuple):
    """A denoised estimate and the λ it was made at."""

    time: float
    denoised: Tensor


class _Leg(NamedTuple):
    """A step: where it begins, to which level it goes, its noise (unit normal) and its τ²."""

    x: Tensor
    sigma: float
    sigma_next: float
    flow: bool
    fresh: Tensor
    tau2: float

    def end(self, known: list[_Known]) -> Tensor:
        """The state at the end, with D's polynomial through `known`."""
        start = half_log_snr(self.sigma, self.flow)
        end = half_log_snr(self.sigma_next, self.flow)
        speed = 1 + self.tau2
        points, weights = quadrature(start, end)
        weights = weights * speed * np.exp(-speed * (end - points))
        sums = lagrange_sums([time for time, _ in known], points, weights)
        decay = math.exp(-self.tau2 * (end - start))
        x = self.x * (self.sigma_next / self.sigma * decay)
        for weight, estimate in zip(sums, known, strict=True):
            x = x + estimate.denoised * (weight * signal(self.sigma_next, self.flow))
        return x + self.fresh * (self.sigma_next * math.sqrt(1 - decay**2))


@sampler(noise="fresh", order=3, below_one=True)
def sa_solver(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SA-Solver with a predictor of order 3 and a corrector of order 4, one evaluation a step.

    τ is 1 for a step that ends in the middle of the way (`StepNoise.middle`), else 0.
    The orders grow as estimates come in, and fall back towards a final 0.
    """
    return _walk(denoise, x, sigmas, noise, again=False)


@sampler(noise="fresh", order=3, below_one=True)
def sa_solver_pece(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SA-Solver that evaluates the network again after correcting: two evaluations a step."""
    return _walk(denoise, x, sigmas, noise, again=True)


def _walk(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, *, again: bool
) -> Iterator[Step]:
    steps = len(sigmas) - 1
    to_zero = bool(sigmas[-1] == 0)
    past: deque[_Known] = deque(maxlen=CORRECTOR_ORDER - 1)  # newest first
    leg: _Leg | None = None
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        left = steps - index if to_zero else steps
        time = half_log_snr(sigma, noise.flow)
        if leg is not None:
            order = min(CORRECTOR_ORDER, index, left + 1)
            x = leg.end([_Known(time, denoised), *past][:order])
            if again:
                denoised = denoise(x, sigma)
        past.appendleft(_Known(time, denoised))
        if sigma_next == 0:
            x = denoised
        else:
            leg = _begun(x, sigma, sigma_next, noise)
            x = leg.end(list(past)[: min(PREDICTOR_ORDER, left)])
        yield Step(index, steps, sigma, denoised, x)


def _begun(x: Tensor, sigma: float, sigma_next: float, noise: StepNoise) -> _Leg:
    low, high = noise.middle
    if low <= sigma_next <= high:
        return _Leg(x, sigma, sigma_next, noise.flow, noise(sigma, sigma_next), 1.0)
    return _Leg(x, sigma, sigma_next, noise.flow, torch.zeros_like(x), 0.0)
