"""The signal-to-noise ratio of a noise level, in which exponential integrators count time.

x = α·x₀ + σ·noise, with α = 1 - σ for a flow and α = 1 else; λ = log(α/σ).
"""

import math


def signal(sigma: float, flow: bool) -> float:
    """α at σ."""
    return 1 - sigma if flow else 1.0


def half_log_snr(sigma: float, flow: bool) -> float:
    """λ at σ > 0; a flow's σ is below 1."""
    return math.log(signal(sigma, flow) / sigma)


def sigma_at(half: float, flow: bool) -> float:
    """The inverse of `half_log_snr`."""
    return 1 / (1 + math.exp(half)) if flow else math.exp(-half)


def line_weight(z: float) -> float:
    """The integral of e^(-z(1-u))·z·u over u in 0…1: what a line's rise weighs in a step of z."""
    return 1 + math.expm1(-z) / z
