"""From what a family's data say of noise to its table of levels."""

from diffusion.families.family import DiscreteNoise, LogNoise, Noise
from diffusion.levels import FlowLevels, LogLevels, NoiseLevels, ddpm_levels


def levels_of(noise: Noise) -> NoiseLevels:
    """The table of noise levels that the data describe."""
    if isinstance(noise, DiscreteNoise):
        return ddpm_levels(noise.first, noise.last, noise.count, zero_snr=noise.zero_snr)
    if isinstance(noise, LogNoise):
        return LogLevels(noise.low, noise.high, noise.count)
    return FlowLevels(noise.shift, noise.count, noise.multiplier)
