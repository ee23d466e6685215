"""DPM-Solver in the field's two forms, and UniPC, a second time, as their papers write them."""

import math
from collections.abc import Callable

import numpy as np

from tests.diffusion.reference.deterministic import euler
from tests.diffusion.reference.world import Array, Run


def dpm_fast(run: Run, x: Array) -> Array:
    positive = [sigma for sigma in run.levels if sigma > 0]
    if len(positive) == 1:
        return euler(run, x)
    budget = len(run.levels) - 1
    whole = budget // 3 + 1
    orders = [3] * (whole - 1) + [budget % 3] if budget % 3 else [3] * (whole - 2) + [2, 1]
    ends = np.linspace(-math.log(positive[0]), -math.log(positive[-1]), len(orders) + 1)
    for order, t, t_next in zip(orders, ends, ends[1:], strict=False):
        x = _dpm_step(run, x, float(t), float(t_next), order)
    return run.model(x, positive[-1]) if run.model.levels.flow and run.levels[-1] == 0 else x


def _eps(run: Run, x: Array, t: float) -> Array:
    return (x - run.model(x, math.exp(-t))) / math.exp(-t)


def _dpm_step(run: Run, x: Array, t: float, t_next: float, order: int, r: float = 0.5) -> Array:
    """DPM-Solver 1, 2 (inner point at r) and 3 (at 1/3 and 2/3), in terms of ε."""
    h, sigma = t_next - t, math.exp(-t_next)
    eps = _eps(run, x, t)
    if order == 1:
        return x - sigma * math.expm1(h) * eps
    if order == 2:
        u = x - math.exp(-(t + r * h)) * math.expm1(r * h) * eps
        change = _eps(run, u, t + r * h) - eps
        return x - sigma * math.expm1(h) * eps - sigma / (2 * r) * math.expm1(h) * change
    r1, r2 = 1 / 3, 2 / 3
    s1, s2 = t + r1 * h, t + r2 * h
    change = _eps(run, x - math.exp(-s1) * math.expm1(r1 * h) * eps, s1) - eps
    bend = math.expm1(r2 * h) / (r2 * h) - 1
    u = x - math.exp(-s2) * (math.expm1(r2 * h) * eps + r2 / r1 * bend * change)
    change = _eps(run, u, s2) - eps
    return x - sigma * math.expm1(h) * eps - sigma / r2 * (math.expm1(h) / h - 1) * change


def dpm_adaptive(run: Run, x: Array) -> Array:
    positive = [sigma for sigma in run.levels if sigma > 0]
    if len(positive) == 1:
        return euler(run, x)
    t, end = -math.log(positive[0]), -math.log(positive[-1])
    h, before = 0.05, x
    while t < end - 1e-5:
        to = min(end, t + h)
        low = _dpm_step(run, x, t, to, 2, r=1 / 3)
        high = _dpm_step(run, x, t, to, 3)
        tolerated = np.maximum(0.0078, 0.05 * np.maximum(np.abs(low), np.abs(before)))
        error = float(np.sqrt(np.mean(((low - high) / tolerated) ** 2)))
        factor = 1 + math.atan((1 / (error + 1e-8)) ** (1 / 3) - 1)
        h *= factor
        if factor >= 0.81:
            x, before, t = high, low, to
    return run.model(x, positive[-1]) if run.model.levels.flow and run.levels[-1] == 0 else x


def uni_pc(run: Run, x: Array) -> Array:
    return _uni_pc(run, x, lambda hh: hh)


def uni_pc_bh2(run: Run, x: Array) -> Array:
    return _uni_pc(run, x, math.expm1)


def _uni_pc(run: Run, x: Array, b_of: Callable[[float], float]) -> Array:
    """In the variance preserving picture x·α, α = 1/√(1+σ²), as the paper has it."""
    sigmas = [sigma or 0.001 for sigma in run.levels]
    steps = len(sigmas) - 1
    highest = max(min(3, steps - 1), 1)
    alphas = [1 / math.sqrt(1 + sigma**2) for sigma in sigmas]
    lambdas = [-math.log(sigma) for sigma in sigmas]

    def update(x: Array, i: int, order: int, arrived: Array | None) -> Array:
        """From i - 1 to i; UniC with the estimate at i, else UniP."""
        h = lambdas[i] - lambdas[i - 1]
        hh = -h
        spread, spread_old = sigmas[i] * alphas[i], sigmas[i - 1] * alphas[i - 1]
        newest = models[i - 1]
        rks = [(lambdas[i - 1 - k] - lambdas[i - 1]) / h for k in range(1, order)]
        d1s = [(models[i - 1 - k] - newest) / rk for k, rk in enumerate(rks, 1)]
        if arrived is not None:
            rks, d1s = [*rks, 1.0], [*d1s, arrived - newest]
        out = spread / spread_old * x - alphas[i] * math.expm1(hh) * newest
        if not rks:
            return out
        phi, factorial, right = math.expm1(hh) / hh - 1, 1, []
        for k in range(1, len(rks) + 1):
            right.append(phi * factorial / b_of(hh))
            factorial *= k + 1
            phi = phi / hh - 1 / factorial
        if len(rks) == 1:
            rhos = [0.5]
        else:
            rhos = list(np.linalg.solve([[rk**k for rk in rks] for k in range(len(rks))], right))
        change = sum(rho * d1 for rho, d1 in zip(rhos, d1s, strict=True))
        return out - alphas[i] * b_of(hh) * change

    x = x * alphas[0]
    models: list[Array] = [run.model(x / alphas[0], sigmas[0])]
    for i in range(1, steps + 1):
        order = min(highest, i, steps + 1 - i)
        guess = update(x, i, order, None)
        if i == steps:
            return guess / alphas[i]
        models.append(run.model(guess / alphas[i], sigmas[i]))
        x = update(x, i, order, models[i])
    return x / alphas[-1]
