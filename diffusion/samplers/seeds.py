"""SEEDS (Gonzalez et al. 2023) and exponential Heun: single-step exponential integrators.

They integrate D's polynomial in λ = log(α/σ) exactly, each stage from the step's beginning.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise
from diffusion.samplers.registry import Step, sampler
from diffusion.samplers.snr import half_log_snr, line_weight, sigma_at, signal


@dataclass
class _Leg:
    """One step from level `sigma` over `h` of λ, by the SDE (`eta` 1) or by the flow (0).

    A stage at λ + t has x·(σ_t/σ)e^(-ηt) + α_t·target + σ_t·noise. Its noise is the noise of the
    stage before, decayed, and fresh noise: of variance 1 - e^(-2ηt) in all.
    """

    x: Tensor
    sigma: float
    sigma_next: float
    eta: int
    noise: StepNoise

    def __post_init__(self) -> None:
        self._start = half_log_snr(self.sigma, self.noise.flow)
        self.h = half_log_snr(self.sigma_next, self.noise.flow) - self._start
        self._reached, self._level = 0.0, self.sigma
        self._added: Tensor | None = None

    def level(self, share: float) -> float:
        """σ at λ + share·h."""
        if share == 1:
            return self.sigma_next
        return sigma_at(self._start + share * self.h, self.noise.flow)

    def z(self, share: float) -> float:
        """(1+η)·share·h, the length that the integrals of D know."""
        return (1 + self.eta) * share * self.h

    def to(self, share: float, target: Tensor) -> Tensor:
        """The state at λ + share·h; shares must not fall from call to call."""
        level, time = self.level(share), share * self.h
        x = self.x * (level / self.sigma * math.exp(-self.eta * time))
        x = x + target * signal(level, self.noise.flow)
        if not self.eta:
            return x
        if self._added is None or share > self._reached:
            lapse = time - self._reached * self.h
            fresh = self.noise(self._level, level) * math.sqrt(-math.expm1(-2 * lapse))
            old = self._added
            self._added = fresh if old is None else old * math.exp(-lapse) + fresh
            self._reached, self._level = share, level
        return x + self._added * level


@sampler(noise="fresh", order=2, below_one=True)
def seeds_2(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SEEDS-2 with data prediction and r = 1/2: the middle's estimate for the whole."""
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            leg = _Leg(x, sigma, sigma_next, 1, noise)
            middle = leg.to(1 / 2, denoised * -math.expm1(-leg.z(1 / 2)))
            x = leg.to(1, denoise(middle, leg.level(1 / 2)) * -math.expm1(-leg.z(1)))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(noise="fresh", order=3, below_one=True)
def seeds_3(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """SEEDS-3 with data prediction, r₁ = 1/3 and r₂ = 2/3: three evaluations a step."""
    first, second = 1 / 3, 2 / 3
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            leg = _Leg(x, sigma, sigma_next, 1, noise)
            state = leg.to(first, denoised * -math.expm1(-leg.z(first)))
            rise = denoise(state, leg.level(first)) - denoised
            target = denoised * -math.expm1(-leg.z(second))
            target = target + rise * (second / first * line_weight(leg.z(second)))
            state = leg.to(second, target)
            rise = denoise(state, leg.level(second)) - denoised
            target = denoised * -math.expm1(-leg.z(1))
            x = leg.to(1, target + rise * (line_weight(leg.z(1)) / second))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)


@sampler(order=2, below_one=True)
def exp_heun_2_x0(denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise) -> Iterator[Step]:
    """Heun's method as an exponential integrator of the flow, with data prediction.

    Hochbruck and Ostermann 2005, eq. 5.3 with c₂ = 1.
    """
    return _heun(denoise, x, sigmas, noise, eta=0)


@sampler(noise="fresh", order=2, below_one=True)
def exp_heun_2_x0_sde(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise
) -> Iterator[Step]:
    """`exp_heun_2_x0` of the SDE: SEEDS-2 with r = 1, one draw of noise for both stages."""
    return _heun(denoise, x, sigmas, noise, eta=1)


def _heun(
    denoise: Denoise, x: Tensor, sigmas: Tensor, noise: StepNoise, *, eta: int
) -> Iterator[Step]:
    for index, (sigma, sigma_next) in enumerate(pairwise(sigmas.tolist()), 1):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            leg = _Leg(x, sigma, sigma_next, eta, noise)
            target = denoised * -math.expm1(-leg.z(1))
            rise = denoise(leg.to(1, target), sigma_next) - denoised
            x = leg.to(1, target + rise * line_weight(leg.z(1)))
        yield Step(index, len(sigmas) - 1, sigma, denoised, x)
