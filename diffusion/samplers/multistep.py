"""Multistep methods on the slope (x - D)/σ: iPNDM, DEIS, and gradient estimation."""

import math
from collections import deque
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.euler import towards
from diffusion.samplers.lagrange import Quadrature, lagrange_sums
from diffusion.samplers.registry import Step, sampler

EVEN_STEPS = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)
"""Adams-Bashforth's weights of the newest and the earlier slopes, for steps of one length."""

DEIS_ORDER = 3

DEIS_POINTS = 10_000
"""Points of the sum that stands for each of DEIS' integrals, as in its authors' code."""

VP_SIGMAS = (0.002, 80.0)
"""The levels at the ends of the variance preserving time in which DEIS interpolates…"""

VP_START = 1e-3
"""…and the time of the lower one; the higher is at 1."""


@sampler(order=2)
def ipndm(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """iPNDM (Zhang and Chen 2023, DEIS, appendix H): Adams-Bashforth as if steps were even.

    After Liu et al. 2022 (PNDM, eq. 9), with lower orders in place of its Runge-Kutta start.
    """
    past: deque[Tensor] = deque(maxlen=len(EVEN_STEPS))  # newest first
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        past.appendleft((x - denoised) / sigma)
        if sigma_next == 0:
            x = denoised
        else:
            for weight, slope in zip(EVEN_STEPS[len(past) - 1], past, strict=True):
                x = x + slope * (weight * (sigma_next - sigma))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler()
def ipndm_v(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """iPNDM with weights for the steps as they are, in the form that pictures are known with."""
    past: deque[Tensor] = deque(maxlen=len(EVEN_STEPS))  # newest first
    lengths: deque[float] = deque(maxlen=len(EVEN_STEPS))
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        past.appendleft((x - denoised) / sigma)
        lengths.appendleft(sigma_next - sigma)
        if sigma_next == 0:
            x = denoised
        else:
            for weight, slope in zip(_uneven(list(lengths)), past, strict=True):
                x = x + slope * (weight * (sigma_next - sigma))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _uneven(lengths: list[float]) -> list[float]:
    """The slopes' weights, newest first, of as many steps as there are lengths, newest first.

    Each order adds the slopes' next difference with a weight of its own. The third and the fourth
    are not Adams and Bashforth's (`lms` has those): the published method has them like this, also
    the last slope's share, which makes the weights sum up to 1 only where lengths grow evenly.
    """
    h, *before = lengths
    weights = [1.0, 0.0, 0.0, 0.0]

    def add(weight: float, shares: tuple[float, ...]) -> None:
        for place, share in enumerate(shares):
            weights[place] += weight * share

    if len(before) > 0:
        one = before[0]
        add(h / (2 * one), (1, -1))
    if len(before) > 1:
        two = before[1]
        ratio = one / two
        add((1 - h**2 / (3 * one * (one + two))) / 2, (1, -1 - ratio, ratio))
    if len(before) > 2:
        three = before[2]
        wide = ratio * (one + two) / (two + three)
        weight = (1 - h / (3 * (h + one))) / 2
        weight += (1 - h / (2 * (h + one))) * h / (6 * (h + one + two))
        weight *= h * (h + one) * (h + one + two)
        weight /= one * (one + two) * (one + two + three)
        last = wide * (1 + two / three)
        add(weight, (1, -1 - ratio - wide, ratio + last, -wide * ratio))
    return weights[: len(lengths)]


@sampler(order=2)
def deis(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """DEIS of order 3, tAB (Zhang and Chen 2023, sec. 3): slopes are polynomials in time.

    The time is the one of a variance preserving diffusion between `VP_SIGMAS`, whatever the model.
    """
    past: deque[tuple[float, Tensor]] = deque(maxlen=DEIS_ORDER)  # newest first
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        past.appendleft((sigma, (x - denoised) / sigma))
        if sigma_next == 0:
            x = denoised
        else:
            weights = _integrals([level for level, _ in past], sigma, sigma_next)
            for weight, (_, slope) in zip(weights, past, strict=True):
                x = x + slope * weight
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


def _integrals(nodes: list[float], start: float, end: float) -> list[float]:
    """∫dσ from `start` to `end` of the Lagrange polynomials in the time of the levels `nodes`."""
    if len(nodes) == 1:
        return [end - start]  # Euler's step, without the sum's error
    first, rise = _vp_betas()
    begin, stop = _vp_time(start), _vp_time(end)
    times = np.linspace(begin, stop, DEIS_POINTS)
    growth = np.expm1(times * first + times**2 * rise / 2)  # σ²
    densities = (growth + 1) * (first + rise * times) / (2 * np.sqrt(growth))  # dσ/dt
    points = Quadrature(times, densities * (stop - begin) / DEIS_POINTS)
    return lagrange_sums([_vp_time(node) for node in nodes], *points)


def _vp_betas() -> tuple[float, float]:
    """β₀ and β₁ - β₀ of log(σ²+1) = t·β₀ + t²(β₁-β₀)/2 (Song et al. 2021, eq. 33)."""
    low, high = (math.log1p(level**2) for level in VP_SIGMAS)
    rise = 2 * (low / VP_START - high) / (VP_START - 1)
    return high - rise / 2, rise


def _vp_time(sigma: float) -> float:
    """The time of a level in the variance preserving diffusion."""
    first, rise = _vp_betas()
    return (math.sqrt(first**2 + 2 * rise * math.log1p(sigma**2)) - first) / rise


@sampler()
def gradient_estimation(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """Gradient estimation with γ = 2 (Permenter and Yuan 2024, Algorithm 2).

    Euler's method along 2·slope - slope_before, which estimates the direction to the data better.
    """
    before: Tensor | None = None
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        slope = (x - denoised) / sigma
        x = towards(x, denoised, sigma, sigma_next)
        if before is not None and sigma_next > 0:
            x = x + (slope - before) * (sigma_next - sigma)
        before = slope
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)
