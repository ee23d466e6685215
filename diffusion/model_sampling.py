"""Sample a model otherwise than its file says: another prediction, or other noise levels."""

import math
from dataclasses import dataclass, replace

from diffusion.denoiser import Denoiser
from diffusion.levels import DiscreteLevels, DistilledLevels, FlowLevels, NoiseLevels, ddpm_levels
from diffusion.prediction import PREDICTIONS, Consistency, Prediction

FLUX_TOKENS = (256, 4096)
"""The numbers of picture tokens, of 16 x 16 pixels, between which FLUX's shift grows in a line."""

CONSISTENCY = "lcm"
"""The prediction of a latent consistency model, which goes with levels of its own."""

DISCRETE = ("epsilon", "velocity", CONSISTENCY, "x0", "img_to_img")
"""What a model of discrete noise can be said to predict."""


@dataclass(frozen=True)
class Sampling:
    """A person's choice; None leaves what the file says.

    `prediction`: of `DISCRETE`, and `zero_snr`: see `levels.ddpm_levels`; both are for models of
    discrete noise. `shift`: see `levels.FlowLevels`, for flow models.
    """

    prediction: str | None = None
    zero_snr: bool | None = None
    shift: float | None = None


class WrongNoise(ValueError):
    """A choice that does not suit the model's kind of noise."""


def resampled(denoiser: Denoiser, chosen: Sampling) -> Denoiser:
    """The same network, sampled as chosen. Raises `WrongNoise`."""
    levels, prediction = denoiser.levels, denoiser.prediction
    if chosen.shift is not None:
        if not isinstance(levels, FlowLevels):
            raise WrongNoise(
                "A shift is for flow models such as SD3 and FLUX.1, and this model is none: use "
                "Model Sampling Discrete, or leave the node out."
            )
        levels = FlowLevels(chosen.shift, len(levels.sigmas), levels.multiplier)
    if chosen.prediction is not None or chosen.zero_snr is not None:
        if not isinstance(levels, DiscreteLevels):
            raise WrongNoise(
                "Epsilon, velocity and zero SNR are for models such as SD 1.x and SDXL, and this "
                "is none: use Model Sampling Shift for a flow model, or leave the node out."
            )
        levels, prediction = _discrete(levels, prediction, chosen)
    return replace(denoiser, levels=levels, prediction=prediction)


def _discrete(
    levels: DiscreteLevels, prediction: Prediction, chosen: Sampling
) -> tuple[NoiseLevels, Prediction]:
    if chosen.zero_snr is not None:
        levels = ddpm_levels(count=len(levels.sigmas), zero_snr=chosen.zero_snr)
    if chosen.prediction == CONSISTENCY:
        distilled = DistilledLevels(levels)
        return distilled, Consistency(distilled.timestep)
    if chosen.prediction is not None:
        prediction = PREDICTIONS[chosen.prediction]
    return levels, prediction


def flux_shift(width: int, height: int, base: float = 0.5, largest: float = 1.15) -> float:
    """FLUX.1's shift for a picture of this size in pixels: exp(μ), μ growing with its tokens.

    `base` and `largest` are μ at 256 and at 4096 tokens.
    """
    low, high = FLUX_TOKENS
    tokens = width * height / 256
    return math.exp(base + (tokens - low) * (largest - base) / (high - low))
