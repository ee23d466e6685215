"""Solvers of the reverse SDE in λ = log(α/σ) a second time: ER-SDE, SEEDS, SA-Solver."""

import math

import numpy as np
from scipy.integrate import quad

from tests.diffusion.reference.deterministic import lagrange
from tests.diffusion.reference.world import Array, Run


def er_sde(run: Run, x: Array) -> Array:
    def scaler(s: float) -> float:
        return s * (math.exp(s**0.3) + 10)

    ratios: list[float] = []
    old = old_slope = None
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        alpha, alpha_after = run.model.alpha(sigma), run.model.alpha(after)
        s, s_after = sigma / alpha, after / alpha_after
        r = scaler(s_after) / scaler(s)
        x = alpha_after / alpha * r * x + alpha_after * (1 - r) * denoised
        slope = None
        if old is not None:
            width = (s - s_after) / 200
            points = [s_after + k * width for k in range(200)]
            slope = (denoised - old) / (s - ratios[-1])
            total = sum(1 / scaler(p) for p in points) * width
            x = x + alpha_after * (s_after - s + total * scaler(s_after)) * slope
            if old_slope is not None:
                bend = (slope - old_slope) / ((s - ratios[-2]) / 2)
                total = sum((p - s) / scaler(p) for p in points) * width
                weight = (s_after - s) ** 2 / 2 + total * scaler(s_after)
                x = x + alpha_after * weight * bend
        x = x + alpha_after * run.noise(sigma, after) * math.sqrt(s_after**2 - s**2 * r**2)
        old, old_slope = denoised, slope
        ratios.append(s)
    return x


def seeds_2(run: Run, x: Array) -> Array:
    model = run.model
    for sigma, after in run.pairs():
        denoised = model(x, sigma)
        if after == 0:
            return denoised
        start = model.log_ratio(sigma)
        h = model.log_ratio(after) - start
        middle = model.sigma_of(start + h / 2)
        z1, z2 = run.noise(sigma, middle), run.noise(middle, after)
        half = math.sqrt(1 - math.exp(-h))
        x2 = middle / sigma * math.exp(-h / 2) * x
        x2 = x2 + model.alpha(middle) * (1 - math.exp(-h)) * denoised + middle * half * z1
        x = after / sigma * math.exp(-h) * x
        x = x + model.alpha(after) * (1 - math.exp(-2 * h)) * model(x2, middle)
        x = x + after * half * (math.exp(-h / 2) * z1 + z2)
    return x


def seeds_3(run: Run, x: Array) -> Array:
    model = run.model
    for sigma, after in run.pairs():
        denoised = model(x, sigma)
        if after == 0:
            return denoised
        start = model.log_ratio(sigma)
        h = model.log_ratio(after) - start
        one, two = (model.sigma_of(start + h * k / 3) for k in (1, 2))
        third = math.sqrt(1 - math.exp(-2 * h / 3))
        fade = math.exp(-h / 3)
        z1 = run.noise(sigma, one)
        x2 = one / sigma * fade * x + one * third * z1
        x2 = x2 + model.alpha(one) * (1 - math.exp(-2 * h / 3)) * denoised
        d2 = model(x2, one)
        z2 = run.noise(one, two)
        c2 = math.expm1(-4 * h / 3)
        x3 = two / sigma * fade**2 * x + two * third * (fade * z1 + z2)
        x3 = x3 - model.alpha(two) * c2 * denoised
        x3 = x3 + model.alpha(two) * 2 * (c2 / (4 * h / 3) + 1) * (d2 - denoised)
        d3 = model(x3, two)
        z3 = run.noise(two, after)
        c3 = math.expm1(-2 * h)
        x = after / sigma * fade**3 * x + after * third * (fade**2 * z1 + fade * z2 + z3)
        x = x - model.alpha(after) * c3 * denoised
        x = x + model.alpha(after) * (c3 / (2 * h) + 1) * 1.5 * (d3 - denoised)
    return x


def exp_heun_2_x0_sde(run: Run, x: Array) -> Array:
    model = run.model
    for sigma, after in run.pairs():
        denoised = model(x, sigma)
        if after == 0:
            return denoised
        h = model.log_ratio(after) - model.log_ratio(sigma)
        phi1 = math.expm1(-2 * h) / (-2 * h)
        phi2 = (phi1 - 1) / (-2 * h)
        noise = run.noise(sigma, after) * after * math.sqrt(1 - math.exp(-2 * h))
        x2 = after / sigma * math.exp(-h) * x + noise
        x2 = x2 + model.alpha(after) * 2 * h * phi1 * denoised
        x = x2 + model.alpha(after) * 2 * h * phi2 * (model(x2, after) - denoised)
    return x


def sa_solver(run: Run, x: Array) -> Array:
    return _sa(run, x, again=False)


def sa_solver_pece(run: Run, x: Array) -> Array:
    return _sa(run, x, again=True)


def _sa(run: Run, x: Array, *, again: bool) -> Array:
    """Predictor of order 3, corrector of order 4; noise (τ = 1) for ends in 20…80 % of the way."""
    model, levels = run.model, run.levels
    steps, to_zero = len(levels) - 1, levels[-1] == 0
    known: list[Array] = []
    times: list[float] = []
    corrected, noise, tau = x, np.zeros_like(x), 0.0

    def moved(x: Array, i: int, tau: float, order: int, noise: Array) -> Array:
        """From i to i + 1 with the polynomial through the last `order` estimates."""
        start, end = (model.log_ratio(levels[k]) for k in (i, i + 1))
        speed = 1 + tau**2
        x = levels[i + 1] / levels[i] * math.exp(-(tau**2) * (end - start)) * x
        nodes = times[-order:]

        def weighed(at: float, place: int) -> float:
            return speed * math.exp(-speed * (end - at)) * lagrange(nodes, place, at)

        for k in range(order):
            weight = quad(weighed, start, end, args=(k,), epsrel=1e-10)[0]
            x = x + model.alpha(levels[i + 1]) * weight * known[-order:][k]
        return x + noise

    for i in range(steps):
        sigma, after = levels[i], levels[i + 1]
        known.append(model(x, sigma))
        times.append(model.log_ratio(sigma))
        corrector = min(4, len(known))
        predictor = min(3, len(known))
        if to_zero:
            predictor = min(predictor, steps - 1 - i)
            corrector = min(corrector, steps - i)
        if i > 0 and (after > 0 or again):
            corrected = moved(corrected, i - 1, tau, corrector, noise)
            if again:
                known[-1] = model(corrected, sigma)
        else:
            corrected = x
        if after == 0:
            return known[-1]
        middle = model.levels.after(0.2) >= after >= model.levels.after(0.8)
        tau = 1.0 if middle else 0.0
        h = model.log_ratio(after) - model.log_ratio(sigma)
        noise = np.zeros_like(x)
        if middle:
            noise = run.noise(sigma, after) * after * math.sqrt(1 - math.exp(-2 * h))
        x = moved(corrected, i, tau, predictor, noise)
    return x
