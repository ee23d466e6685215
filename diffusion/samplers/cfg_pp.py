"""CFG++: guided samplers whose noise is the one that the unguided estimate sees.

Chung et al. 2024, "CFG++: Manifold-Constrained Classifier Free Guidance": a step goes to the guided
estimate D, and the noise added back is (x - α·D₋)/σ, of the estimate D₋ that guidance leads away
from (Algorithm 2). Steps then overshoot less, and small guidance, about 1…2, is enough. Where D₋ is
D, each of these is the sampler that it is named after. Euler's two follow the paper for flows too;
the others step with α = 1 whatever the model, as pictures are known.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from diffusion.guidance import Denoise, Estimates, estimates
from diffusion.noise import StepNoise
from diffusion.samplers.ancestral import posterior, split
from diffusion.samplers.dpmpp import middle_level
from diffusion.samplers.euler import towards
from diffusion.samplers.registry import Step, sampler
from diffusion.samplers.res import parts_of, res_weights
from diffusion.samplers.snr import signal


def _renoised(x: Tensor, both: Estimates, sigma: float, level: float) -> Tensor:
    """D + `level`·(x - D₋)/σ."""
    return both.denoised + (x - both.away) * (level / sigma)


def _mixed(
    x: Tensor, both: Estimates, sigma: float, level: float, alpha: float, alpha_next: float
) -> Tensor:
    """α'·D + `level`·(x - α·D₋)/σ."""
    return both.denoised * alpha_next + (x - both.away * alpha) * (level / sigma)


@sampler()
def euler_cfg_pp(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """DDIM, and so Euler's method, with CFG++ (Algorithm 2)."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        both = estimates(denoise, x, sigma)
        alpha, alpha_next = signal(sigma, noise.flow), signal(sigma_next, noise.flow)
        x = _mixed(x, both, sigma, sigma_next, alpha, alpha_next)
        yield Step(index, len(sigmas) - 1, sigma, both.denoised, x)


@sampler(noise="fresh")
def euler_ancestral_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`euler_cfg_pp` down past the next level, then noise back up to it.

    The split is the posterior's, so for flows it is not quite `euler_ancestral`'s.
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        both = estimates(denoise, x, sigma)
        parts = posterior(sigma, sigma_next, flow=noise.flow)
        alpha, alpha_next = signal(sigma, noise.flow), signal(sigma_next, noise.flow)
        x = _mixed(x, both, sigma, parts.down, alpha, alpha_next)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, both.denoised, x)


@sampler(noise="fresh", order=2)
def dpmpp_2s_ancestral_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`dpmpp_2s_ancestral` from x + D - D₋, whose noise by D is the noise of x by D₋."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        both = estimates(denoise, x, sigma)
        parts = split(sigma, sigma_next, flow=noise.flow)
        if parts.down == 0:
            x = both.denoised
        else:
            shifted = x + both.denoised - both.away
            middle = middle_level(sigma, parts.down, noise.flow)
            halfway = towards(shifted, both.denoised, sigma, middle)
            x = towards(shifted, denoise(halfway, middle), sigma, parts.down)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, both.denoised, x)


@sampler(order=2)
def dpmpp_2m_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`dpmpp_2m` with CFG++; D is continued from the last D₋, the field's way."""
    before: Tensor | None = None
    h_before = 0.0
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        both = estimates(denoise, x, sigma)
        x = _renoised(x, both, sigma, sigma_next)
        h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
        if before is not None and sigma_next > 0:
            x = x + (both.denoised - before) * (-math.expm1(-h) * h / (2 * h_before))
        before, h_before = both.away, h
        yield Step(index, len(sigmas) - 1, sigma, both.denoised, x)


@sampler(order=2)
def res_multistep_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`res_multistep` from x + D - D₋ along the estimates D₋, as the sampler of that name does."""
    return _res(denoise, x, sigmas, noise, eta=0)


@sampler(noise="fresh", order=2)
def res_multistep_ancestral_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`res_multistep_cfg_pp` down past the next level, then noise back up to it."""
    return _res(denoise, x, sigmas, noise, eta=1)


def _res(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, *, eta: int
) -> Iterator[Step]:
    before: Tensor | None = None
    sigma_before = reached = 0.0
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        both = estimates(denoise, x, sigma)
        parts = parts_of(sigma, sigma_next, eta=eta, flow=noise.flow)
        if before is None or parts.down == 0:
            x = _renoised(x, both, sigma, parts.down)
        else:
            weights = res_weights(sigma, parts.down, sigma_before, reached)
            x = (x + both.denoised - both.away) * (parts.down / sigma)
            x = x + both.away * weights.newest + before * weights.before
        if eta:
            x = parts.rise(x, noise, sigma, sigma_next)
        before, sigma_before, reached = both.away, sigma, parts.down
        yield Step(index, len(sigmas) - 1, sigma, both.denoised, x)


@sampler()
def gradient_estimation_cfg_pp(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`gradient_estimation` (γ = 2) of the slopes by D₋, on the step of `euler_cfg_pp`."""
    before: Tensor | None = None
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        both = estimates(denoise, x, sigma)
        slope = (x - both.away) / sigma
        x = _renoised(x, both, sigma, sigma_next)
        if before is not None and sigma_next > 0:
            x = x + (slope - before) * (sigma_next - sigma)
        before = slope
        yield Step(index, len(sigmas) - 1, sigma, both.denoised, x)
