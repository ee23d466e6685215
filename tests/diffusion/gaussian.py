"""A diffusion problem with known answers: data that is normal, N(MEAN, DEVIATION²).

Its ideal denoiser, its probability flow and its distribution at every noise level are formulas.
"""

import math

import torch
from torch import Tensor

MEAN = 0.7
DEVIATION = 0.5


def denoise(x: Tensor, sigma: float) -> Tensor:
    """E[x₀ | x], for x = x₀ + σ·noise."""
    return (x * DEVIATION**2 + MEAN * sigma**2) / (DEVIATION**2 + sigma**2)


def denoise_flow(x: Tensor, sigma: float) -> Tensor:
    """E[x₀ | x], for x = (1-σ)·x₀ + σ·noise."""
    keep = 1 - sigma
    gain = keep * DEVIATION**2 / (keep**2 * DEVIATION**2 + sigma**2)
    return MEAN + (x - keep * MEAN) * gain


def flown(x: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """Where the probability flow takes x from one level to another."""
    ratio = math.sqrt((DEVIATION**2 + sigma_next**2) / (DEVIATION**2 + sigma**2))
    return MEAN + (x - MEAN) * ratio


def even(sigma_max: float, sigma_min: float, steps: int) -> Tensor:
    """Levels evenly spaced in log σ, float64."""
    ends = math.log(sigma_max), math.log(sigma_min)
    return torch.linspace(*ends, steps + 1, dtype=torch.float64).exp()
