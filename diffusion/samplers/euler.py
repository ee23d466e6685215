"""Euler's method, its ancestral form, and DDIM, which is the same step."""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.ancestral import split
from diffusion.samplers.registry import Step, sampler


def towards(x: Tensor, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """x moved along dx/dσ = (x - D)/σ to `sigma_next` (Karras et al. 2022, eq. 3 with σ(t) = t)."""
    ratio = sigma_next / sigma
    return x * ratio + denoised * (1 - ratio)


@sampler()
def euler(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Euler's method on the probability flow (Karras et al. 2022, Algorithm 1, lines 3 to 5)."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        x = towards(x, denoised, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(fresh_keep_noise=True)
def ddim(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """DDIM with η = 0 (Song et al. 2021, eq. 12).

    In terms of x/√ᾱ and σ = √((1-ᾱ)/ᾱ) it is Euler's step (ibid., eq. 13).
    """
    return euler(denoise, x, sigmas, noise)


@sampler(noise="fresh")
def euler_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """Euler's method down past the next level, then noise back up (Song et al. 2021, η = 1)."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        parts = split(sigma, sigma_next, flow=noise.flow)
        x = towards(x, denoised, sigma, parts.down)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)
