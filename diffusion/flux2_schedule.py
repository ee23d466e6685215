"""FLUX.2's own noise levels, shifted by the size of the picture and by the number of steps."""

import math

import torch
from torch import Tensor

from diffusion.levels import FlowLevels

TOKEN = 16
"""Pixels along the edge of a token of the picture."""

MANY, FEW = 200, 10
"""Steps at which μ was fitted, each a line over the number of tokens: slope and offset below."""

AT_MANY, AT_FEW = (0.00016927, 0.45666666), (8.73809524e-05, 1.89833333)

LARGE = 4300
"""Above so many tokens μ no more depends on the steps."""


def flux2_mu(tokens: float, steps: int) -> float:
    """μ, the logarithm of the shift (`levels.FlowLevels`), for a picture of so many tokens.

    Between and beyond the two fits it changes in a line with the steps, as the published code of
    FLUX.2 has it.
    """
    many, few = (slope * tokens + offset for slope, offset in (AT_MANY, AT_FEW))
    if tokens > LARGE:
        return many
    return many + (many - few) * (steps - MANY) / (MANY - FEW)


def flux2_sigmas(steps: int, width: int, height: int) -> Tensor:
    """The levels of a run of `steps` steps, descending from 1 to 0: float32 (steps + 1,).

    `width`, `height`: of the picture, in pixels.
    """
    levels = FlowLevels(math.exp(flux2_mu(width * height / TOKEN**2, steps)))
    return torch.tensor([levels.at(step / steps) for step in range(steps + 1)])
