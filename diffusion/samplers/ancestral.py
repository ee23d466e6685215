"""Split a step into a longer step down and fresh noise back up, as ancestral samplers do."""

import math
from typing import NamedTuple

from torch import Tensor

from diffusion.noise import StepNoise
from diffusion.samplers.snr import signal


class Split(NamedTuple):
    """Step to level `down`; then the state at the wanted level is `keep`·x + `up`·noise."""

    down: float
    keep: float
    up: float

    def rise(self, x: Tensor, noise: StepNoise, sigma: float, sigma_next: float) -> Tensor:
        """The state at `sigma_next`, from the state at `down`."""
        return x * self.keep + noise(sigma, sigma_next) * self.up if sigma_next > 0 else x


def split(sigma: float, sigma_next: float, *, flow: bool = False) -> Split:
    """The split from σ to σ' that adds as much noise as the posterior q(x_σ' | x_σ, x₀) has.

    For x = x₀ + σ·noise: up² = σ'²(σ²-σ'²)/σ² (Song et al. 2021, DDIM, eq. 16 with η = 1, in terms
    of σ). For a flow, x = (1-σ)·x₀ + σ·noise: down = σ'²/σ, then signal and noise are brought to
    the mixture of σ' exactly.
    """
    if flow:
        down = sigma_next**2 / sigma
        keep = (1 - sigma_next) / (1 - down)
        return Split(down, keep, math.sqrt(max(sigma_next**2 - (down * keep) ** 2, 0.0)))
    up = sigma_next * math.sqrt(1 - (sigma_next / sigma) ** 2)
    return Split(sigma_next**2 / sigma, 1.0, up)


def posterior(sigma: float, sigma_next: float, *, flow: bool) -> Split:
    """The split that is the posterior itself, for flows too: `split`'s, in the ratio s = σ/α.

    `down` is noise beside the signal of σ' (see `remixed`), so that nothing has to be rescaled.
    """
    alpha, alpha_next = signal(sigma, flow), signal(sigma_next, flow)
    share = (sigma_next * alpha) / (alpha_next * sigma)  # s'/s, which is 0 at a flow's σ = 1
    return Split(sigma_next * share, 1.0, sigma_next * math.sqrt(1 - share**2))


def remixed(
    x: Tensor, denoised: Tensor, sigma: float, level: float, alpha: float, alpha_next: float
) -> Tensor:
    """α'·D + `level`·(x - α·D)/σ: other amounts of the signal and of the noise that x holds."""
    return x * (level / sigma) + denoised * (alpha_next - alpha * level / sigma)
