"""Samplers without noise a second time, as their papers and the field write them.

d = (x - D)/σ; t = -log σ. Nothing of the product is used here.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.integrate import quad

from tests.diffusion.reference.world import Array, Run

Walk = Callable[[Run, Array], Array]


def euler(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        d = (x - run.model(x, sigma)) / sigma
        x = x + d * (after - sigma)
    return x


def ddim(run: Run, x: Array) -> Array:
    """In the scale of unit variance, x·√ᾱ (Song et al. 2021, eq. 12 with σ = 0)."""
    for sigma, after in run.pairs():
        eps = (x - run.model(x, sigma)) / sigma
        kept, kept_after = 1 / (1 + sigma**2), 1 / (1 + after**2)
        picture = (x * math.sqrt(kept) - math.sqrt(1 - kept) * eps) / math.sqrt(kept)
        x = picture + math.sqrt(1 - kept_after) / math.sqrt(kept_after) * eps
    return x


def heun(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        d = (x - run.model(x, sigma)) / sigma
        guess = x + d * (after - sigma)
        if after == 0:
            x = guess
        else:
            d_guess = (guess - run.model(guess, after)) / after
            x = x + (d + d_guess) / 2 * (after - sigma)
    return x


def heunpp2(run: Run, x: Array) -> Array:
    steps = len(run.levels) - 1
    for i, (sigma, after) in enumerate(run.pairs()):
        d = (x - run.model(x, sigma)) / sigma
        if i == steps - 1:
            x = x + d * (after - sigma)
            continue
        x2 = x + d * (after - sigma)
        d2 = (x2 - run.model(x2, after)) / after
        if i == steps - 2:
            w2 = after / (2 * run.levels[0])
            mean = (1 - w2) * d + w2 * d2
        else:
            beyond = run.levels[i + 2]
            x3 = x2 + d2 * (beyond - after)
            d3 = (x3 - run.model(x3, beyond)) / beyond
            w2, w3 = after / (3 * run.levels[0]), beyond / (3 * run.levels[0])
            mean = (1 - w2 - w3) * d + w2 * d2 + w3 * d3
        x = x + mean * (after - sigma)
    return x


def dpm_2(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        d = (x - run.model(x, sigma)) / sigma
        if after == 0:
            x = x + d * (after - sigma)
        else:
            middle = math.exp((math.log(sigma) + math.log(after)) / 2)
            x2 = x + d * (middle - sigma)
            x = x + (x2 - run.model(x2, middle)) / middle * (after - sigma)
    return x


def lagrange(nodes: list[float], place: int, at: float) -> float:
    others = [node for k, node in enumerate(nodes) if k != place]
    return math.prod((at - other) / (nodes[place] - other) for other in others)


def integral(nodes: list[float], place: int, start: float, end: float) -> float:
    return float(quad(lambda at: lagrange(nodes, place, at), start, end, epsrel=1e-10)[0])


def lms(run: Run, x: Array) -> Array:
    slopes: list[Array] = []
    for i, (sigma, after) in enumerate(run.pairs()):
        denoised = run.model(x, sigma)
        slopes = [(x - denoised) / sigma, *slopes][:4]
        nodes = [run.levels[i - k] for k in range(len(slopes))]
        if after == 0:
            return denoised
        for k, slope in enumerate(slopes):
            x = x + integral(nodes, k, sigma, after) * slope
    return x


def dpmpp_2m(run: Run, x: Array) -> Array:
    old: Array | None = None
    h_last = 0.0
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        h = math.log(sigma) - math.log(after)
        mixed = denoised
        if old is not None:
            r = h_last / h
            mixed = (1 + 1 / (2 * r)) * denoised - 1 / (2 * r) * old
        x = after / sigma * x - math.expm1(-h) * mixed
        old, h_last = denoised, h
    return x


def ipndm(run: Run, x: Array) -> Array:
    table = [
        [1.0],
        [3 / 2, -1 / 2],
        [23 / 12, -16 / 12, 5 / 12],
        [55 / 24, -59 / 24, 37 / 24, -3 / 8],
    ]
    slopes: list[Array] = []
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        slopes = [(x - denoised) / sigma, *slopes][:4]
        mean = sum(w * d for w, d in zip(table[len(slopes) - 1], slopes, strict=True))
        x = x + (after - sigma) * mean
    return x


def ipndm_v(run: Run, x: Array) -> Array:
    slopes: list[Array] = []
    for i, (sigma, after) in enumerate(run.pairs()):
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        slopes = [(x - denoised) / sigma, *slopes][:4]
        steps = [run.levels[i + 1 - k] - run.levels[i - k] for k in range(len(slopes))]
        mean = sum(w * d for w, d in zip(published_weights(*steps), slopes, strict=True))
        x = x + (after - sigma) * mean
    return x


def published_weights(h: float, h1: float = 0, h2: float = 0, h3: float = 0) -> list[float]:
    """iPNDM's for uneven steps, as its authors' code has them (not Adams-Bashforth's)."""
    if h1 == 0:
        return [1]
    r = h / h1
    if h2 == 0:
        return [1 + r / 2, -r / 2]
    t1 = 1 / 2 - (h / (3 * (h + h1))) * (h * (h + h1)) / (h1 * (h1 + h2)) / 2
    q = h1 / h2
    if h3 == 0:
        return [1 + r / 2 + t1, -r / 2 - (1 + q) * t1, q * t1]
    t2 = (
        1 / 2
        - h / (6 * (h + h1))
        + h / (6 * (h + h1 + h2))
        - h**2 / (12 * (h + h1) * (h + h1 + h2))
    )
    t2 *= h * (h + h1) * (h + h1 + h2) / (h1 * (h1 + h2) * (h1 + h2 + h3))
    b = h1 * (h1 + h2) / (h2 * (h2 + h3))
    return [
        1 + r / 2 + t1 + t2,
        -r / 2 - (1 + q) * t1 - (1 + q + b) * t2,
        q * t1 + (q + b * (1 + h2 / h3)) * t2,
        -b * q * t2,
    ]


def deis(run: Run, x: Array) -> Array:
    """tAB of order 3 over the variance preserving time of σ 0.002…80, summed at 10,000 points."""
    low, high, start = 0.002, 80.0, 1e-3
    slope = 2 * (math.log(low**2 + 1) / start - math.log(high**2 + 1)) / (start - 1)
    base = math.log(high**2 + 1) - slope / 2

    def time(sigma: float) -> float:
        return (math.sqrt(base**2 + 2 * slope * math.log(sigma**2 + 1)) - base) / slope

    slopes: list[Array] = []
    for i, (sigma, after) in enumerate(run.pairs()):
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        slopes = [(x - denoised) / sigma, *slopes][:3]
        if len(slopes) == 1:
            x = x + (after - sigma) * slopes[0]
            continue
        taus = np.linspace(time(sigma), time(after), 10_000)
        kept = np.exp(-taus * base - taus**2 * slope / 2)
        log_rate = -base - slope * taus
        integrand = -0.5 * log_rate / np.sqrt(kept * (1 - kept))
        nodes = [time(run.levels[i - k]) for k in range(len(slopes))]
        for k, d in enumerate(slopes):
            others = [node for j, node in enumerate(nodes) if j != k]
            basis = np.prod([(taus - o) / (nodes[k] - o) for o in others], axis=0)
            x = x + (integrand * basis).sum() * (taus[-1] - taus[0]) / 10_000 * d
    return x


def gradient_estimation(run: Run, x: Array) -> Array:
    old: Array | None = None
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        d = (x - denoised) / sigma
        x = x + (d if old is None else 2 * d - old) * (after - sigma)
        old = d
    return x


def exp_heun_2_x0(run: Run, x: Array) -> Array:
    """x' = (σ'/σ)x + α'·h·(φ₁(-h)·D + φ₂(-h)·(D₂ - D))."""
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        h = run.model.log_ratio(after) - run.model.log_ratio(sigma)
        phi1, alpha = math.expm1(-h) / -h, run.model.alpha(after)
        phi2 = (phi1 - 1) / -h
        x2 = after / sigma * x + alpha * h * phi1 * denoised
        change = run.model(x2, after) - denoised
        x = x2 + alpha * h * phi2 * change
    return x


def euler_cfg_pp(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        both = run.model.both(x, sigma)
        d = (x - run.model.alpha(sigma) * both.away) / sigma
        x = run.model.alpha(after) * both.denoised + after * d
    return x


def dpmpp_2m_cfg_pp(run: Run, x: Array) -> Array:
    old: Array | None = None
    h_last = 0.0
    for sigma, after in run.pairs():
        both = run.model.both(x, sigma)
        if after == 0:
            return both.denoised
        h = math.log(sigma) - math.log(after)
        mixed = -math.exp(-h) * both.away
        if old is not None:
            mixed = mixed - math.expm1(-h) * h / (2 * h_last) * (both.denoised - old)
        x = both.denoised + mixed + math.exp(-h) * x
        old, h_last = both.away, h
    return x


def gradient_estimation_cfg_pp(run: Run, x: Array) -> Array:
    old: Array | None = None
    for sigma, after in run.pairs():
        both = run.model.both(x, sigma)
        if after == 0:
            return both.denoised
        d = (x - both.away) / sigma
        x = both.denoised + d * after
        if old is not None:
            x = x + (d - old) * (after - sigma)
        old = d
    return x
