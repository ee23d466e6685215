"""Choose the noise levels that a sampler steps through: one function per schedule.

A schedule takes a model's levels and a number of steps and gives σ descending from the first step's
level to 0, float32 (steps + 1,) unless its docstring says otherwise. N is the length of the table.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from diffusion.levels import NoiseLevels

Schedule = Callable[[NoiseLevels, int], Tensor]

SCHEDULES: dict[str, Schedule] = {}
"""The schedules by name, in the order in which people are offered them."""

NEARLY_ALL = 0.9999
"""A denoise above this is a whole run."""


def schedule(function: Schedule) -> Schedule:
    """Offer a schedule under its function's name."""
    SCHEDULES[function.__name__] = function
    return function


def sigmas_for(
    levels: NoiseLevels,
    name: str,
    steps: int,
    *,
    denoise: float = 1.0,
    discard_penultimate: bool = False,
    start: int = 0,
    end: int | None = None,
    leave_noise: bool = False,
) -> Tensor:
    """The levels of one run: a schedule, cut to the part of it that is wanted.

    `denoise` in 0…1 keeps the last `steps` steps of a longer list, so that a picture is changed by
    that much. `discard_penultimate` is for samplers that would waste a step on the tiny last level
    (`Sampler.discard_penultimate`). `start` and `end` are steps of this list; a run that ends early
    still finishes at 0 unless `leave_noise`. The answer has one entry or none where nothing is
    left.
    """
    if denoise <= 0:
        return torch.zeros(0)
    whole = steps if denoise > NEARLY_ALL else int(steps / denoise)
    if discard_penultimate:
        longer = SCHEDULES[name](levels, whole + 1)
        sigmas = torch.cat([longer[:-2], longer[-1:]])
    else:
        sigmas = SCHEDULES[name](levels, whole)
    if denoise <= NEARLY_ALL:
        sigmas = sigmas[-(steps + 1) :]
    # Thousands of steps can name one level twice in a row; a step of no length has no slope.
    new = torch.cat([torch.tensor([True]), sigmas.diff() != 0])
    return _between(sigmas[new], start, end, leave_noise)


def _between(sigmas: Tensor, start: int, end: int | None, leave_noise: bool) -> Tensor:
    if end is not None and end < len(sigmas) - 1:
        sigmas = sigmas[: end + 1].clone()
        if not leave_noise and len(sigmas):
            sigmas[-1] = 0
    return sigmas[start:] if start < len(sigmas) - 1 else sigmas[:0]


@schedule
def normal(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced timesteps from the highest level to the lowest, then 0."""
    first, last = levels.timestep(levels.sigma_max), levels.timestep(levels.sigma_min)
    if levels.sigma(last) < 1e-5:  # the list's own end is the zero
        return _sigmas_at(levels, torch.linspace(first, last, steps + 1))
    return _then_zero(_sigmas_at(levels, torch.linspace(first, last, steps)))


@schedule
def karras(levels: NoiseLevels, steps: int) -> Tensor:
    """Karras et al. 2022, eq. 5 with ρ = 7: steps grow shorter towards low noise."""
    rho = 7.0
    high, low = levels.sigma_max ** (1 / rho), levels.sigma_min ** (1 / rho)
    return _then_zero((high + torch.linspace(0, 1, steps) * (low - high)) ** rho)


@schedule
def exponential(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in log σ, then 0."""
    high, low = math.log(levels.sigma_max), math.log(levels.sigma_min)
    return _then_zero(torch.linspace(high, low, steps).exp())


@schedule
def sgm_uniform(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced timesteps whose last, lowest one is replaced by 0."""
    first, last = levels.timestep(levels.sigma_max), levels.timestep(levels.sigma_min)
    return _then_zero(_sigmas_at(levels, torch.linspace(first, last, steps + 1)[:-1]))


@schedule
def simple(levels: NoiseLevels, steps: int) -> Tensor:
    """Entries of the table at even distances, counted from its end, then 0."""
    stride = len(levels.sigmas) / steps
    return _then_zero(levels.sigmas[[-(1 + int(k * stride)) for k in range(steps)]])


@schedule
def ddim_uniform(levels: NoiseLevels, steps: int) -> Tensor:
    """Every (N // steps)th entry of the table, from its second on (Song et al. 2021, app. D.3).

    Where N is no multiple of `steps` the list is longer than asked: 30 steps of 1000 levels give
    31.
    """
    table = levels.sigmas
    if float(table[1]) < 1e-5:  # the table's own entry is the zero
        stride = max(len(table) // (steps + 1), 1)
        return table[1::stride].flip(0)
    return _then_zero(table[1 :: max(len(table) // steps, 1)].flip(0))


@schedule
def beta(levels: NoiseLevels, steps: int) -> Tensor:
    """Entries of the table at quantiles of Beta(0.6, 0.6): dense at both ends (Lee et al. 2024).

    Quantiles that fall on one entry count once, so that many steps may give fewer levels than
    asked.
    """
    from scipy.special import betaincinv  # half a second to import: only for who asks for it

    quantiles = betaincinv(0.6, 0.6, 1 - np.linspace(0, 1, steps, endpoint=False))
    indices = np.rint(quantiles * (len(levels.sigmas) - 1)).astype(int)
    return _then_zero(levels.sigmas[list(dict.fromkeys(indices.tolist()))])


@schedule
def linear_quadratic(levels: NoiseLevels, steps: int) -> Tensor:
    """A slow line for half of the steps, then a parabola to 0 (Polyak et al. 2024, sec. 3.4.2)."""
    if steps == 1:
        return torch.tensor([levels.sigma_max, 0.0])
    threshold, slow = 0.025, steps // 2
    fast = steps - slow
    slope = threshold / slow
    bend = (slow - threshold * steps) / (slow * fast**2)
    tilt = slope - 2 * (slow - threshold * steps) / fast**2
    done = [k * slope for k in range(slow)]
    done += [bend * k**2 + tilt * k + bend * slow**2 for k in range(slow, steps)]
    return torch.tensor([(1 - share) * levels.sigma_max for share in [*done, 1.0]])


@schedule
def kl_optimal(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in arctan σ, then 0 (Sabour et al. 2024, "Align Your Steps", theorem 3.1)."""
    high, low = math.atan(levels.sigma_max), math.atan(levels.sigma_min)
    share = torch.arange(steps) / max(steps - 1, 1)
    return _then_zero((share * low + (1 - share) * high).tan())


def _then_zero(sigmas: Tensor) -> Tensor:
    return torch.cat([sigmas, torch.zeros(1)])


def _sigmas_at(levels: NoiseLevels, timesteps: Tensor) -> Tensor:
    return torch.tensor([levels.sigma(float(timestep)) for timestep in timesteps])
