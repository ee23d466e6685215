"""DPM-Solver (Lu et al. 2022, "A Fast ODE Solver"), which chooses levels of its own.

It predicts noise: the slope (x - D)/σ is integrated in λ = -log σ. Only the first and the last
positive level of the list matter, and the result is at the latter, next to the picture; a flow's,
whose last level is higher, is taken to the picture with one more evaluation.
"""

import math
from collections.abc import Callable, Iterator

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.euler import euler, towards
from diffusion.samplers.registry import Step, sampler

RELATIVE, ABSOLUTE = 0.05, 0.0078
"""`dpm_adaptive`'s tolerances, the paper's for pictures in -1…1: 0.0078 is 2/256."""

FIRST_STEP = 0.05
"""Of λ, in `dpm_adaptive`."""

ACCEPTED = 0.81
"""A step is taken where the controller would not shrink the next one by more than this."""

Slope = Callable[[Tensor, float], Tensor]


@sampler(order=2, own_levels=True)
def dpm_fast(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """DPM-Solver-fast (Lu et al., sec. 3.4): even steps of order 3, the last ones lower.

    There are as many evaluations as the list has steps, and records count evaluations. A list with
    one positive level is left to `euler`.
    """
    if sigmas[1] == 0:
        yield from euler(denoise, x, sigmas, noise)
        return
    evaluations = len(sigmas) - 1
    first, last = _ends(sigmas)
    whole, rest = divmod(evaluations, 3)
    orders = [3] * whole + [rest] if rest else [3] * (whole - 1) + [2, 1]
    seen = _Watched(denoise)
    done = 0
    for number, order in enumerate(orders):
        now = first + (last - first) * number / len(orders)
        h = (last - first) / len(orders)
        sigma = math.exp(-now)
        slope = seen.slope(x, sigma)
        here = seen.denoised
        if order == 1:
            x = towards(x, here, sigma, math.exp(-now - h))
        elif order == 2:
            x = _second(seen.slope, slope, x, now, h, 1 / 2)
        else:
            x = _third(seen.slope, slope, x, now, h)
        done += order
        if done == evaluations and noise.flow and sigmas[-1] == 0:
            x = denoise(x, math.exp(-last))
        yield Step(done, evaluations, sigma, here, x)


@sampler(order=3, own_levels=True)
def dpm_adaptive(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """DPM-Solver-12/23's adaptive steps with orders 2 and 3.

    The step grows and shrinks with the difference of the two results, over the whole batch: a
    picture depends slightly on those beside it. How many steps there will be is an estimate until
    the last record.
    """
    if sigmas[1] == 0:
        yield from euler(denoise, x, sigmas, noise)
        return
    now, last = _ends(sigmas)
    h, index = FIRST_STEP, 0
    low_before = x
    seen = _Watched(denoise)
    while True:
        step = min(h, last - now)
        sigma = math.exp(-now)
        slope = seen.slope(x, sigma)
        here = seen.denoised
        low = _second(seen.slope, slope, x, now, step, 1 / 3)
        high = _third(seen.slope, slope, x, now, step)
        error = _error(low, high, low_before)
        # towards h·error^(-1/3), but by no more than the arctangent allows
        factor = 1 + math.atan((error + 1e-8) ** (-1 / 3) - 1)
        if math.isfinite(error):  # else the record shows the caller what is wrong
            h *= factor
            if factor < ACCEPTED:
                continue
        x, low_before = high, low
        now, index = now + step, index + 1
        left = math.ceil((last - now) / h) if last - now > 1e-5 else 0
        if not left and noise.flow and sigmas[-1] == 0:
            x = denoise(x, math.exp(-last))
        yield Step(index, index + left, sigma, here, x)
        if not left:
            return


def _ends(sigmas: Tensor) -> tuple[float, float]:
    """λ of the first and of the last positive level."""
    positive = sigmas[sigmas > 0].tolist()
    return -math.log(positive[0]), -math.log(positive[-1])


class _Watched:
    """The slope (x - D)/σ, and the estimate D that it was last made of."""

    denoised: Tensor

    def __init__(self, denoise: Denoise) -> None:
        self._denoise = denoise

    def slope(self, x: Tensor, sigma: float) -> Tensor:
        self.denoised = self._denoise(x, sigma)
        return (x - self.denoised) / sigma


def _second(slope: Slope, here: Tensor, x: Tensor, now: float, h: float, share: float) -> Tensor:
    """DPM-Solver-2 with its inner level at `share` of the step."""
    middle, end = math.exp(-now - share * h), math.exp(-now - h)
    inner = x - here * (middle * math.expm1(share * h))
    rise = slope(inner, middle) - here
    return x - (here + rise / (2 * share)) * (end * math.expm1(h))


def _third(slope: Slope, here: Tensor, x: Tensor, now: float, h: float) -> Tensor:
    """DPM-Solver-3 (Algorithm 2) with its inner levels at 1/3 and 2/3 of the step."""
    one, two = h / 3, 2 * h / 3
    first, second, end = (math.exp(-now - part) for part in (one, two, h))
    rise = slope(x - here * (first * math.expm1(one)), first) - here
    inner = x - here * (second * math.expm1(two)) - rise * (second * 2 * _bend(two))
    rise = slope(inner, second) - here
    return x - here * (end * math.expm1(h)) - rise * (end * 3 / 2 * _bend(h))


def _bend(h: float) -> float:
    """(e^h - 1)/h - 1, what a line's rise weighs."""
    return math.expm1(h) / h - 1


def _error(low: Tensor, high: Tensor, before: Tensor) -> float:
    """The root mean square of the difference, in units of what is tolerated."""
    tolerated = (low.abs().maximum(before.abs()) * RELATIVE).clamp(min=ABSOLUTE)
    return float(((low - high) / tolerated).square().mean().sqrt())
