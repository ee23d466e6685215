"""Second-order single-step methods on the probability flow: Heun's, and the midpoint in log σ."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.ancestral import split
from diffusion.samplers.euler import towards
from diffusion.samplers.registry import Step, sampler


@sampler(order=2)
def heun(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Heun's method (Karras et al. 2022, Algorithm 1): two evaluations a step, one in the last."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        ahead = towards(x, denoised, sigma, sigma_next)
        if sigma_next > 0:
            slope = (x - denoised) / sigma
            slope_ahead = (ahead - denoise(ahead, sigma_next)) / sigma_next
            ahead = x + (slope + slope_ahead) * ((sigma_next - sigma) / 2)
        x = ahead
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _midpoint(
    denoise: Denoise, x: Tensor, denoised: Tensor, sigma: float, sigma_next: float
) -> Tensor:
    """x at `sigma_next`, by the slope at the geometric mean of the two levels."""
    if sigma_next == 0:
        return denoised  # the geometric mean would be 0 as well: Euler's step
    middle = math.sqrt(sigma * sigma_next)
    halfway = towards(x, denoised, sigma, middle)
    slope = (halfway - denoise(halfway, middle)) / middle
    return x + slope * (sigma_next - sigma)


@sampler(order=2, discard_penultimate=True)
def dpm_2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """The midpoint method with the midpoint taken in log σ.

    After DPM-Solver-2 (Lu et al. 2022, Algorithm 1), which halves log-SNR, on Karras' ODE (eq. 3).
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        x = _midpoint(denoise, x, denoised, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="fresh", order=2, discard_penultimate=True)
def dpm_2_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`dpm_2` down past the next level, then noise back up to it."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        parts = split(sigma, sigma_next, flow=noise.flow)
        x = _midpoint(denoise, x, denoised, sigma, parts.down)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler()
def heunpp2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Heun++: slopes at this level and the next two, weighed by level over the first level.

    Three evaluations a step, two in the last but one, one in the last. It has no paper; the weights
    are those of the published sampler of that name: σ'/3σ₀ and σ''/3σ₀, or σ'/2σ₀ of the last but
    one, with the rest on the slope here. They do not depend on the steps, so it is of first order.
    """
    levels = sigmas.tolist()
    steps = len(levels) - 1
    for index, (sigma, sigma_next) in enumerate(pairwise(levels), 1):
        denoised = denoise(x, sigma)
        slope = (x - denoised) / sigma
        ahead = levels[index : min(index + 2, steps)]  # the last level is never looked at
        bend, state = torch.zeros_like(x), x
        state_slope, here = slope, sigma
        for level in ahead:
            state = state + state_slope * (level - here)
            state_slope, here = (state - denoise(state, level)) / level, level
            bend = bend + (state_slope - slope) * (level / ((len(ahead) + 1) * levels[0]))
        x = denoised if sigma_next == 0 else x + (slope + bend) * (sigma_next - sigma)
        yield Step(index, steps, sigma, denoised, x)
