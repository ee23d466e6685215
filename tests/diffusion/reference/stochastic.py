"""Ancestral samplers and DPM-Solver++ with noise a second time, and what shares a form with them.

Nothing of the product is used here. η = 1 throughout: the field's defaults.
"""

import math

from tests.diffusion.reference.world import Array, Run


def ancestral_step(start: float, end: float) -> tuple[float, float]:
    """The level to step down to, and how much noise leads back up."""
    up = min(end, math.sqrt(end**2 * (start**2 - end**2) / start**2))
    return math.sqrt(end**2 - up**2), up


def renoised_flow(run: Run, x: Array, down: float, sigma: float, after: float) -> Array:
    """From a flow's mixture of level `down` up to that of `after`."""
    keep = (1 - after) / (1 - down)
    amount = math.sqrt(after**2 - down**2 * keep**2)
    return keep * x + amount * run.noise(sigma, after)


def down_level(run: Run, sigma: float, after: float) -> float:
    if run.model.levels.flow:
        return after * (1 + (after / sigma - 1))
    return ancestral_step(sigma, after)[0]


def back_up(run: Run, x: Array, down: float, sigma: float, after: float) -> Array:
    if after == 0:
        return x
    if run.model.levels.flow:
        return renoised_flow(run, x, down, sigma, after)
    return x + run.noise(sigma, after) * ancestral_step(sigma, after)[1]


def euler_ancestral(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        down = down_level(run, sigma, after)
        x = x + (x - denoised) / sigma * (down - sigma)
        x = back_up(run, x, down, sigma, after)
    return x


def dpm_2_ancestral(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        down = down_level(run, sigma, after)
        middle = math.exp((math.log(sigma) + math.log(down)) / 2)
        x2 = x + (x - denoised) / sigma * (middle - sigma)
        x = x + (x2 - run.model(x2, middle)) / middle * (down - sigma)
        x = back_up(run, x, down, sigma, after)
    return x


def dpmpp_2s_ancestral(run: Run, x: Array) -> Array:
    return _2s(run, x, pp=False)


def dpmpp_2s_ancestral_cfg_pp(run: Run, x: Array) -> Array:
    return _2s(run, x, pp=True)


def _2s(run: Run, x: Array, *, pp: bool) -> Array:
    flow = run.model.levels.flow
    for sigma, after in run.pairs():
        both = run.model.both(x, sigma)
        if after == 0:
            return both.denoised
        down = down_level(run, sigma, after)
        if not flow:
            middle = math.exp((math.log(sigma) + math.log(down)) / 2)
        elif sigma == 1:
            middle = 0.9999
        else:
            ends = [math.log((1 - level) / level) for level in (sigma, down)]
            middle = 1 / (1 + math.exp(sum(ends) / 2))
        base = x + (both.denoised - both.away) if pp else x
        x2 = middle / sigma * base + (1 - middle / sigma) * both.denoised
        x = down / sigma * base + (1 - down / sigma) * run.model(x2, middle)
        x = back_up(run, x, down, sigma, after)
    return x


def euler_ancestral_cfg_pp(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        both = run.model.both(x, sigma)
        if after == 0:
            return both.denoised
        alpha, alpha_after = run.model.alpha(sigma), run.model.alpha(after)
        d = (x - alpha * both.away) / sigma
        if alpha == 0:
            down, up = 0.0, after / alpha_after
        else:
            down, up = ancestral_step(sigma / alpha, after / alpha_after)
        x = alpha_after * (both.denoised + down * d + up * run.noise(sigma, after))
    return x


def ddpm(run: Run, x: Array) -> Array:
    """Ho et al. 2020 in u = x/α, whose noise is s = σ/α, scaled to unit variance."""
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        alpha, alpha_after = run.model.alpha(sigma), run.model.alpha(after)
        if alpha == 0:  # nothing of the picture is left: a fresh mixture
            x = alpha_after * denoised + after * run.noise(sigma, after)
            continue
        s, s_after = sigma / alpha, after / alpha_after
        kept, kept_after = 1 / (1 + s**2), 1 / (1 + s_after**2)
        step = kept / kept_after
        unit = x / alpha * math.sqrt(kept)
        eps = (x / alpha - denoised) / s
        mean = (unit - (1 - step) / math.sqrt(1 - kept) * eps) / math.sqrt(step)
        spread = math.sqrt((1 - step) * (1 - kept_after) / (1 - kept))
        x = (mean + spread * run.noise(sigma, after)) / math.sqrt(kept_after) * alpha_after
    return x


def lcm(run: Run, x: Array) -> Array:
    for sigma, after in run.pairs():
        x = run.model(x, sigma)
        if after > 0:
            x = run.model.alpha(after) * x + after * run.noise(sigma, after)
    return x


def dpmpp_sde(run: Run, x: Array) -> Array:
    model = run.model
    for sigma, after in run.pairs():
        denoised = model(x, sigma)
        if after == 0:
            return denoised
        start, end = model.log_ratio(sigma), model.log_ratio(after)
        middle = model.sigma_of(start + (end - start) / 2)

        def drawn(x: Array, target: Array, sigma: float, to: float, start: float) -> Array:
            down, up = ancestral_step(math.exp(-start), math.exp(-model.log_ratio(to)))
            h = -math.log(down) - start
            moved = model.alpha(to) / model.alpha(sigma) * math.exp(-h) * x
            moved = moved - model.alpha(to) * math.expm1(-h) * target
            return moved + model.alpha(to) * up * run.noise(sigma, to)

        x2 = drawn(x, denoised, sigma, middle, start)
        x = drawn(x, model(x2, middle), sigma, after, start)
    return x


def dpmpp_2m_sde(run: Run, x: Array) -> Array:
    return _2m_sde(run, x, heun=False)


def dpmpp_2m_sde_heun(run: Run, x: Array) -> Array:
    return _2m_sde(run, x, heun=True)


def _2m_sde(run: Run, x: Array, *, heun: bool) -> Array:
    old: Array | None = None
    h_last = 0.0
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        h = run.model.log_ratio(after) - run.model.log_ratio(sigma)
        alpha = run.model.alpha(after)
        gain = 1 - math.exp(-2 * h)
        x = after / sigma * math.exp(-h) * x + alpha * gain * denoised
        if old is not None:
            r = h_last / h
            weight = gain / (-2 * h) + 1 if heun else 0.5 * gain
            x = x + alpha * weight / r * (denoised - old)
        x = x + run.noise(sigma, after) * after * math.sqrt(1 - math.exp(-2 * h))
        old, h_last = denoised, h
    return x


def dpmpp_3m_sde(run: Run, x: Array) -> Array:
    past: list[Array] = []
    lengths: list[float] = []
    for sigma, after in run.pairs():
        denoised = run.model(x, sigma)
        if after == 0:
            return denoised
        h = run.model.log_ratio(after) - run.model.log_ratio(sigma)
        alpha, twice = run.model.alpha(after), 2 * h
        x = after / sigma * math.exp(-h) * x + alpha * -math.expm1(-twice) * denoised
        phi2 = math.expm1(-twice) / twice + 1
        if len(past) == 1:
            x = x + alpha * phi2 * (denoised - past[0]) * h / lengths[0]
        elif past:
            r0, r1 = lengths[0] / h, lengths[1] / h
            first, second = (denoised - past[0]) / r0, (past[0] - past[1]) / r1
            d1 = first + (first - second) * r0 / (r0 + r1)
            d2 = (first - second) / (r0 + r1)
            phi3 = phi2 / twice - 0.5
            x = x + alpha * (phi2 * d1 - phi3 * d2)
        x = x + run.noise(sigma, after) * after * math.sqrt(-math.expm1(-2 * h))
        past, lengths = [denoised, *past][:2], [h, *lengths][:2]
    return x


def res_multistep(run: Run, x: Array) -> Array:
    return _res(run, x, eta=0, pp=False)


def res_multistep_ancestral(run: Run, x: Array) -> Array:
    return _res(run, x, eta=1, pp=False)


def res_multistep_cfg_pp(run: Run, x: Array) -> Array:
    return _res(run, x, eta=0, pp=True)


def res_multistep_ancestral_cfg_pp(run: Run, x: Array) -> Array:
    return _res(run, x, eta=1, pp=True)


def _res(run: Run, x: Array, *, eta: int, pp: bool) -> Array:
    old: Array | None = None
    old_down = 0.0
    for i, (sigma, after) in enumerate(run.pairs()):
        both = run.model.both(x, sigma)
        estimate = both.away if pp else both.denoised
        if after == 0:
            return both.denoised
        down = down_level(run, sigma, after) if eta else after
        if old is None:
            x = both.denoised + (x - estimate) / sigma * down
        else:
            t, t_next = -math.log(sigma), -math.log(down)
            t_old, t_prev = -math.log(old_down), -math.log(run.levels[i - 1])
            h = t_next - t
            c2 = (t_prev - t_old) / h
            phi1 = math.expm1(-h) / -h
            phi2 = (phi1 - 1) / -h
            shifted = x + (both.denoised - both.away) if pp else x
            x = math.exp(-h) * shifted + h * ((phi1 - phi2 / c2) * estimate + phi2 / c2 * old)
        if eta:
            x = back_up(run, x, down, sigma, after)
        old, old_down = estimate, down
    return x
