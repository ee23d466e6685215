"""Multistep sampling of consistency models, and the original ancestral sampling of DDPM."""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.ancestral import posterior, remixed
from diffusion.samplers.registry import Step, sampler
from diffusion.samplers.snr import signal


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
            fresh = noise(sigma, sigma_next)
            x = denoised * signal(sigma_next, noise.flow) + fresh * sigma_next
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="fresh")
def ddpm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Ancestral sampling of DDPM (Ho et al. 2020, eqs. 6 and 7), written in σ.

    The posterior q(x_σ' | x_σ, x₀ = D) of x = x₀ + σ·noise has the mean D + (σ'²/σ²)(x - D) and the
    variance σ'²(σ²-σ'²)/σ². For a flow it is the same in the ratio σ/(1-σ).
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        parts = posterior(sigma, sigma_next, flow=noise.flow)
        alpha, alpha_next = signal(sigma, noise.flow), signal(sigma_next, noise.flow)
        x = remixed(x, denoised, sigma, parts.down, alpha, alpha_next)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)
