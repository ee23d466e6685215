"""The noise levels that a model was trained on, and the time that its network is told at each.

A level σ is a standard deviation; a timestep is the number that the network embeds.
"alphas_cumprod" elsewhere is 1/(1+σ²).
"""

import math
from typing import Protocol

import torch
from torch import Tensor

ZERO_SNR_FLOOR = 4.8973451890853435e-08
"""The last alphas_cumprod of a zero-terminal-SNR table: an exact zero would mean σ = ∞."""


class NoiseLevels(Protocol):
    """A model's noise levels. `sigmas`: float32, ascending, one per training timestep, on CPU."""

    sigmas: Tensor

    @property
    def sigma_min(self) -> float:
        """The lowest level of the table."""
        ...

    @property
    def sigma_max(self) -> float:
        """The highest level of the table."""
        ...

    def timestep(self, sigma: float) -> float:
        """The time that the network is told at level σ."""
        ...

    def sigma(self, timestep: float) -> float:
        """The level at a timestep, which may lie between two of the table's."""
        ...

    def at(self, fraction: float) -> float:
        """The level after this fraction, 0…1, of the way from noise to picture."""
        ...


class DiscreteLevels:
    """Levels from a table of alphas_cumprod (Ho et al. 2020), timesteps 0…N-1."""

    def __init__(self, alphas_cumprod: Tensor) -> None:
        """`alphas_cumprod`: float64 (N,), descending, in 0…1."""
        sigmas = ((1 - alphas_cumprod) / alphas_cumprod) ** 0.5
        self.sigmas = sigmas.float()
        # The logarithm is taken before rounding to float32, so that nearest-timestep ties fall as
        # they do in other programs.
        self.log_sigmas = sigmas.log().float()

    @property
    def sigma_min(self) -> float:
        return float(self.sigmas[0])

    @property
    def sigma_max(self) -> float:
        return float(self.sigmas[-1])

    def timestep(self, sigma: float) -> float:
        """The nearest timestep of the table by log σ, a whole number: the network saw no others."""
        distance = torch.tensor(sigma, dtype=torch.float32).log() - self.log_sigmas
        return float(distance.abs().argmin())

    def sigma(self, timestep: float) -> float:
        """The level at a timestep, interpolated linearly in log σ; clamped to the table."""
        # float32 throughout, as other programs do it, so that levels agree to the last bit.
        time = torch.tensor(timestep, dtype=torch.float32).clamp(0, len(self.sigmas) - 1)
        low, high, weight = time.floor().long(), time.ceil().long(), time.frac()
        return float(((1 - weight) * self.log_sigmas[low] + weight * self.log_sigmas[high]).exp())

    def at(self, fraction: float) -> float:
        """The level after a fraction of the way; before the start it is higher than any level."""
        if fraction <= 0:
            return 999999999.9  # what other programs write for "from the very beginning"
        if fraction >= 1:
            return 0.0
        return self.sigma((1 - fraction) * self._last_timestep())

    def _last_timestep(self) -> float:
        return float(len(self.sigmas) - 1)


class DistilledLevels(DiscreteLevels):
    """The levels that a consistency model was distilled at: evenly many of its teacher's.

    With 50 of 1000 they are those of the timesteps 19, 39 … 999 (Luo et al. 2023, sec. 4.3).
    """

    def __init__(self, teacher: DiscreteLevels, count: int = 50) -> None:
        self.stride = len(teacher.sigmas) // count
        self.sigmas = teacher.sigmas[self.stride - 1 :: self.stride]
        self.log_sigmas = self.sigmas.log()

    def timestep(self, sigma: float) -> float:
        """The teacher's timestep of the nearest level."""
        return super().timestep(sigma) * self.stride + self.stride - 1

    def sigma(self, timestep: float) -> float:
        return super().sigma((timestep - (self.stride - 1)) / self.stride)

    def _last_timestep(self) -> float:
        return float(len(self.sigmas) * self.stride - 1)


class FlowLevels:
    """Levels of a flow model: σ = shift·t/(1+(shift-1)·t), t in 0…1 (Esser et al. 2024, eq. 23)."""

    def __init__(self, shift: float = 1.0, count: int = 1000, multiplier: float = 1000.0) -> None:
        """`count` levels at t = 1/count … 1; the network is told σ·`multiplier`."""
        self.shift = shift
        self.multiplier = multiplier
        self.sigmas = self._shifted(torch.arange(1, count + 1, dtype=torch.float32) / count)

    def _shifted(self, t: Tensor) -> Tensor:
        return self.shift * t / (1 + (self.shift - 1) * t)

    @property
    def sigma_min(self) -> float:
        return float(self.sigmas[0])

    @property
    def sigma_max(self) -> float:
        return float(self.sigmas[-1])

    def timestep(self, sigma: float) -> float:
        return sigma * self.multiplier

    def sigma(self, timestep: float) -> float:
        """The level at a timestep, which counts as t before the shift.

        So `schedules.normal` shifts its end twice, as the reference implementation does.
        """
        return float(self._shifted(torch.tensor(timestep, dtype=torch.float32) / self.multiplier))

    def at(self, fraction: float) -> float:
        if fraction <= 0:
            return 1.0
        if fraction >= 1:
            return 0.0
        return float(self._shifted(torch.tensor(1 - fraction)))


class LogLevels:
    """Levels evenly spaced in log σ; the network is told ln(σ)/4 (Karras et al. 2022, c_noise)."""

    def __init__(self, low: float = 0.002, high: float = 80.0, count: int = 1000) -> None:
        self.low, self.high = math.log(low), math.log(high)
        self.sigmas = torch.linspace(self.low, self.high, count).exp()

    @property
    def sigma_min(self) -> float:
        return float(self.sigmas[0])

    @property
    def sigma_max(self) -> float:
        return float(self.sigmas[-1])

    def timestep(self, sigma: float) -> float:
        return math.log(sigma) / 4

    def sigma(self, timestep: float) -> float:
        return math.exp(4 * timestep)

    def at(self, fraction: float) -> float:
        if fraction <= 0:
            return 999999999.9  # what other programs write for "from the very beginning"
        if fraction >= 1:
            return 0.0
        return math.exp(self.low + (self.high - self.low) * (1 - fraction))


def ddpm_levels(
    first: float = 0.00085, last: float = 0.012, count: int = 1000, *, zero_snr: bool = False
) -> DiscreteLevels:
    """Stable Diffusion's levels: β rises as the square of a line from √`first` to √`last`.

    `zero_snr` rescales them so that the last one holds no signal (Lin et al. 2024, Algorithm 1).
    """
    betas = torch.linspace(math.sqrt(first), math.sqrt(last), count, dtype=torch.float64) ** 2
    alphas_cumprod = torch.cumprod(1 - betas, dim=0)
    return DiscreteLevels(_zero_snr(alphas_cumprod) if zero_snr else alphas_cumprod)


def _zero_snr(alphas_cumprod: Tensor) -> Tensor:
    root = alphas_cumprod.sqrt()
    root = (root - root[-1]) * (root[0] / (root[0] - root[-1]))
    rescaled = root**2
    rescaled[-1] = ZERO_SNR_FLOOR
    return rescaled
