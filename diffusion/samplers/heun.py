"""Second-order single-step methods on the probability flow: Heun's, and the midpoint in log σ."""

import math
from collections.abc import Iterator
from itertools import pairwise

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
