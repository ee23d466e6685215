"""RES, an exponential integrator, in its multistep form, deterministic and ancestral.

Zhang et al. 2023, "Improved Order Analysis and Design of Exponential Integrator for Diffusion
Models Sampling".
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.ancestral import Split, split
from diffusion.samplers.euler import towards
from diffusion.samplers.registry import Step, sampler
from diffusion.samplers.snr import line_weight


class Weights(NamedTuple):
    """What the newest estimate and the one before weigh in a step."""

    newest: float
    before: float


@sampler(order=2)
def res_multistep(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """RES of second order with two estimates: exact for D on a line in λ = -log σ."""
    return _walk(denoise, x, sigmas, noise, eta=0)


@sampler(noise="fresh", order=2)
def res_multistep_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`res_multistep` down past the next level, then noise back up to it."""
    return _walk(denoise, x, sigmas, noise, eta=1)


def parts_of(sigma: float, sigma_next: float, *, eta: int, flow: bool) -> Split:
    """The ancestral split for η = 1, and none for η = 0."""
    return split(sigma, sigma_next, flow=flow) if eta else Split(sigma_next, 1.0, 0.0)


def res_weights(sigma: float, down: float, before: float, reached: float) -> Weights:
    """The weights for a step from `sigma` to `down`, with an earlier estimate at `before`.

    `reached`: where the step before went, before noise was added. The lag between the estimates is
    measured from there, which is the field's way: without noise it is `sigma`.
    """
    h = math.log(sigma / down)
    lag = math.log(reached / before) / h
    before_weight = line_weight(h) / lag
    return Weights(-math.expm1(-h) - before_weight, before_weight)


def _walk(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, *, eta: int
) -> Iterator[Step]:
    before: Tensor | None = None
    sigma_before = reached = 0.0
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        parts = parts_of(sigma, sigma_next, eta=eta, flow=noise.flow)
        if before is None or parts.down == 0:
            x = towards(x, denoised, sigma, parts.down)
        else:
            weights = res_weights(sigma, parts.down, sigma_before, reached)
            x = x * (parts.down / sigma) + denoised * weights.newest + before * weights.before
        if eta:
            x = parts.rise(x, noise, sigma, sigma_next)
        before, sigma_before, reached = denoised, sigma, parts.down
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)
