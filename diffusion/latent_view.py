"""Look into a latent: what numbers each channel holds, and how they lie in the picture."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

COLD, ZERO, WARM = (0.23, 0.30, 0.75), (0.95, 0.95, 0.95), (0.71, 0.02, 0.15)
"""Colours of negative numbers, of zero and of positive ones (after Moreland 2009, "cool-warm")."""

FULL = 3.0
"""The number, in the model's own scale, that is drawn in the fullest colour: three deviations."""

GAP = 1
"""Cells between two channels' maps."""


class Statistics(NamedTuple):
    """The numbers of one channel, or of all."""

    mean: float
    deviation: float
    lowest: float
    highest: float


def statistics(values: Tensor) -> Statistics:
    """Mean, deviation and limits."""
    deviation = float(values.std(correction=0)) if values.numel() else 0.0
    return Statistics(float(values.mean()), deviation, float(values.min()), float(values.max()))


def by_channel(latent: Tensor) -> list[Statistics]:
    """The statistics of each channel of a batch (batch, channels, height, width)."""
    return [statistics(latent[:, channel]) for channel in range(latent.shape[1])]


def heat(values: Tensor) -> Tensor:
    """Colours (..., 3) in 0…1 of numbers in the model's scale: blue, white at zero, red."""
    share = (values / FULL).clamp(-1, 1)[..., None]
    cold, zero, warm = (torch.tensor(colour) for colour in (COLD, ZERO, WARM))
    return torch.where(share < 0, zero + (cold - zero) * -share, zero + (warm - zero) * share)


def channels_of(latent: Tensor, pixels: int) -> Tensor:
    """Every channel of one latent (channels, height, width) as a map: (height, width, 3) in 0…1.

    The maps lie in rows from the left; `pixels` is the edge of the square drawn for a cell.
    """
    channels, height, width = latent.shape
    columns = math.ceil(math.sqrt(channels))
    rows = math.ceil(channels / columns)
    sheet = torch.ones(rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3)
    for channel, values in enumerate(latent):
        top, left = (channel // columns) * (height + GAP), (channel % columns) * (width + GAP)
        sheet[top : top + height, left : left + width] = heat(values)
    return enlarged(sheet, pixels)


def enlarged(picture: Tensor, pixels: int) -> Tensor:
    """Each element of (height, width, 3) as a square of that many pixels."""
    return picture.repeat_interleave(pixels, 0).repeat_interleave(pixels, 1)
