"""DPM-Solver++ (Lu et al. 2022, "Fast Solver for Guided Sampling"), ODE and SDE forms.

λ = -log σ is half the log signal-to-noise ratio; h is a step's length in it. Between two levels the
solution of the linear part is known, x' = (σ'/σ)·x + (1-e⁻ʰ)·D, and only D is approximated.
"""

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
def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """DPM-Solver++(2M) (Algorithm 2): D is continued along a line through its last two values.

    The first step, and the last where it goes to 0, are of first order.
    """
    before: Tensor | None = None
    h_before = 0.0
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
        target = denoised
        if before is not None and sigma_next > 0:
            target = denoised + (denoised - before) * (h / (2 * h_before))
        x = towards(x, target, sigma, sigma_next)
        before, h_before = denoised, h
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="brownian", order=2)
def dpmpp_2m_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SDE-DPM-Solver++(2M) with η = 1 (sec. 5, eq. 18), in the midpoint form.

    x' = (σ'/σ)e⁻ʰ·x + α'(1-e⁻²ʰ)·(D + (D - D_before)·h/(2·h_before)) + σ'√(1-e⁻²ʰ)·noise; α' is the
    signal's scale at the next level.
    """
    before: Tensor | None = None
    h_before = 0.0
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            h = _half_log_snr(sigma_next, noise.flow) - _half_log_snr(sigma, noise.flow)
            alpha = 1 - sigma_next if noise.flow else 1.0
            target = denoised
            if before is not None:
                target = denoised + (denoised - before) * (h / (2 * h_before))
            fresh = -math.expm1(-2 * h)
            x = x * (sigma_next / sigma * math.exp(-h)) + target * (alpha * fresh)
            x = x + noise(sigma, sigma_next) * (sigma_next * math.sqrt(fresh))
            before, h_before = denoised, h
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="brownian", order=2, flow=False)
def dpmpp_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SDE form of DPM-Solver++(2S) (Algorithm 1, r = 1/2): two evaluations, two draws a step.

    Both the way to the middle, at λ + h/2, and the whole step are split as ancestral steps are.
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * sigma_next)
            first, whole = split(sigma, middle), split(sigma, sigma_next)
            halfway = towards(x, denoised, sigma, first.down)
            halfway = first.rise(halfway, noise, sigma, middle)
            x = towards(x, denoise(halfway, middle), sigma, whole.down)
            x = whole.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="fresh", order=2, flow=False)
def dpmpp_2s_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """DPM-Solver++(2S) (Algorithm 1, r = 1/2) down past the next level, then noise back up."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        parts = split(sigma, sigma_next)
        if parts.down == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * parts.down)
            halfway = towards(x, denoised, sigma, middle)
            x = towards(x, denoise(halfway, middle), sigma, parts.down)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _half_log_snr(sigma: float, flow: bool) -> float:
    """λ = log(signal/noise): -log σ, for a flow log((1-σ)/σ)."""
    return math.log((1 - sigma) / sigma) if flow else -math.log(sigma)
