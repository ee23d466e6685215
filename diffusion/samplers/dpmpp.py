"""DPM-Solver++ (Lu et al. 2022, "Fast Solver for Guided Sampling"), ODE and SDE forms.

λ = -log σ is half the log signal-to-noise ratio; h is a step's length in it. Between two levels the
solution of the linear part is known, x' = (σ'/σ)·x + (1-e⁻ʰ)·D, and only D is approximated.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.ancestral import posterior, remixed, split
from diffusion.samplers.euler import towards
from diffusion.samplers.registry import Step, also_named, sampler
from diffusion.samplers.snr import half_log_snr, line_weight, sigma_at, signal

BARELY_BELOW_ONE = 0.9999
"""The middle of a flow's step from σ = 1, whose λ is -∞: the level that pictures are known with."""


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
    return _sde_2m(denoise, x, sigmas, noise, lambda h: -math.expm1(-2 * h) / 2)


@sampler(noise="brownian", order=2)
def dpmpp_2m_sde_heun(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """SDE-DPM-Solver++(2M) in the form of Heun's method.

    D's line is integrated exactly: its slope weighs φ = 1 - (1-e⁻²ʰ)/2h, `dpmpp_2m_sde`'s
    (1-e⁻²ʰ)/2.
    """
    return _sde_2m(denoise, x, sigmas, noise, lambda h: line_weight(2 * h))


def _sde_2m(
    denoise: Denoise,
    x: Tensor,
    sigmas: Tensor,
    noise: StepNoise,
    slope_weight: Callable[[float], float],
) -> Iterator[Step]:
    before: Tensor | None = None
    h_before = 0.0
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            h = half_log_snr(sigma_next, noise.flow) - half_log_snr(sigma, noise.flow)
            target = denoised * -math.expm1(-2 * h)
            if before is not None:
                target = target + (denoised - before) * (slope_weight(h) * h / h_before)
            x = _sde_step(x, target, sigma, sigma_next, h, noise)
            before, h_before = denoised, h
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _sde_step(
    x: Tensor, target: Tensor, sigma: float, sigma_next: float, h: float, noise: StepNoise
) -> Tensor:
    """x' = (σ'/σ)e⁻ʰ·x + α'·target + σ'√(1-e⁻²ʰ)·noise."""
    x = x * (sigma_next / sigma * math.exp(-h)) + target * signal(sigma_next, noise.flow)
    return x + noise(sigma, sigma_next) * (sigma_next * math.sqrt(-math.expm1(-2 * h)))


@sampler(noise="brownian", order=2)
def dpmpp_3m_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SDE form with η = 1 of DPM-Solver++(3M): D is continued through its last three values.

    The divided differences enter with φ₂ and φ₃ = φ₂/2h - 1/2
    as in the authors' multistep code. An exact parabola would count φ₃ twice, but pictures are
    known with it once; to the SDE's own order both are the same.
    """
    past: deque[tuple[Tensor, float]] = deque(maxlen=2)  # newest first: D, and the step after it
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            h = half_log_snr(sigma_next, noise.flow) - half_log_snr(sigma, noise.flow)
            target = denoised * -math.expm1(-2 * h)
            if past:
                target = target + _continued(denoised, past, h)
            x = _sde_step(x, target, sigma, sigma_next, h, noise)
            past.appendleft((denoised, h))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _continued(denoised: Tensor, past: deque[tuple[Tensor, float]], h: float) -> Tensor:
    """What D's differences to its one or two past values add to a step of length h."""
    before, h_before = past[0]
    ratio = h_before / h
    first = (denoised - before) / ratio
    if len(past) == 1:
        return first * line_weight(2 * h)
    earlier, h_earlier = past[1]
    ratio_earlier = h_earlier / h
    bend = (first - (before - earlier) / ratio_earlier) / (ratio + ratio_earlier)
    third = line_weight(2 * h) / (2 * h) - 0.5
    return (first + bend * ratio) * line_weight(2 * h) - bend * third


@sampler(noise="brownian", order=2)
def dpmpp_sde(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SDE form of DPM-Solver++(2S) (Algorithm 1, r = 1/2): two evaluations, two draws a step.

    Both the way to the middle, at λ + h/2, and the whole step are drawn from the posterior.
    """
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            middle = middle_level(sigma, sigma_next, noise.flow)
            halfway = _drawn(x, denoised, sigma, middle, noise)
            x = _drawn(x, denoise(halfway, middle), sigma, sigma_next, noise)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _drawn(
    x: Tensor, denoised: Tensor, sigma: float, sigma_next: float, noise: StepNoise
) -> Tensor:
    """A state at σ' by the posterior q(x_σ' | x_σ, x₀ = D)."""
    parts = posterior(sigma, sigma_next, flow=noise.flow)
    alpha, alpha_next = signal(sigma, noise.flow), signal(sigma_next, noise.flow)
    x = remixed(x, denoised, sigma, parts.down, alpha, alpha_next)
    return parts.rise(x, noise, sigma, sigma_next)


def middle_level(sigma: float, sigma_next: float, flow: bool) -> float:
    """The level at λ + h/2, between σ and a positive σ'."""
    if not flow:
        return math.sqrt(sigma * sigma_next)
    if sigma >= 1:
        return BARELY_BELOW_ONE
    return sigma_at((half_log_snr(sigma, flow) + half_log_snr(sigma_next, flow)) / 2, flow)


@sampler(noise="fresh", order=2)
def dpmpp_2s_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """DPM-Solver++(2S) (Algorithm 1, r = 1/2) down past the next level, then noise back up."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        parts = split(sigma, sigma_next, flow=noise.flow)
        if parts.down == 0:
            x = denoised
        else:
            middle = middle_level(sigma, parts.down, noise.flow)
            halfway = towards(x, denoised, sigma, middle)
            x = towards(x, denoise(halfway, middle), sigma, parts.down)
        x = parts.rise(x, noise, sigma, sigma_next)
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


# The field's names for Brownian noise drawn on the device; here it never depends on the device.
also_named("dpmpp_sde_gpu", dpmpp_sde)
also_named("dpmpp_2m_sde_gpu", dpmpp_2m_sde)
also_named("dpmpp_2m_sde_heun_gpu", dpmpp_2m_sde_heun)
also_named("dpmpp_3m_sde_gpu", dpmpp_3m_sde)
