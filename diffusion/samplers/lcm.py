"""Multistep sampling of consistency models, and the original ancestral sampling of DDPM."""

import math
from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.registry import Step, sampler


@sampler(noise="fresh")
def lcm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Multistep latent consistency sampling (Luo et al. 2023, Algorithm 3).

    Each step jumps to the end of the path and adds noise of the next level. It needs a model whose
    estimate is that end (a consistency model), not a mean.
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        x = denoised
        if sigma_next > 0:
            keep = 1 - sigma_next if noise.flow else 1.0
            x = denoised * keep + noise(sigma, sigma_next) * sigma_next
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="fresh", flow=False)
def ddpm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Ancestral sampling of DDPM (Ho et al. 2020, eqs. 6 and 7), written in σ.

    The posterior q(x_σ' | x_σ, x₀ = D) of x = x₀ + σ·noise has the mean D + (σ'²/σ²)(x - D) and the
    variance σ'²(σ²-σ'²)/σ².
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        shrink = (sigma_next / sigma) ** 2
        x = x * shrink + denoised * (1 - shrink)
        if sigma_next > 0:
            x = x + noise(sigma, sigma_next) * (sigma_next * math.sqrt(1 - shrink))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)
