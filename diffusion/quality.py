"""How far two pictures are apart, and whether one picture looks broken."""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

WINDOW, SPREAD = 11, 1.5
"""Wang et al. 2004, section III-B: a Gaussian of 11 x 11 pixels with deviation 1.5."""

DARK = 2 / 255
"""No pixel of a black picture is brighter."""

EVEN = 1 / 255
"""The deviation below which a picture is one flat colour."""

CELL = 8
"""Pixels that are averaged before neighbours are compared: one cell of a latent."""

UNLIKE = 0.25
"""Neighbours of noise correlate less than this; those of pictures 0.7 and more."""

Fault = Literal["not_finite", "black", "flat", "noise"]


def psnr(one: Tensor, other: Tensor) -> float:
    """The peak signal-to-noise ratio in decibels of pictures in 0…1; equal ones have infinity."""
    error = float(((one.double() - other.double()) ** 2).mean())
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(one: Tensor, other: Tensor) -> float:
    """The structural similarity of pictures (batch, height, width, 3) in 0…1: 1 where equal.

    Wang et al. 2004, eq. 13, for each colour, averaged where the whole window fits. Pictures
    smaller than the window take the largest odd one that fits.
    """
    x, y = (part.double().movedim(-1, 1).flatten(0, 1)[:, None] for part in (one, other))
    size = min(WINDOW, *(edge if edge % 2 else edge - 1 for edge in x.shape[-2:]))
    if size < 1:
        size = 1
    kernel = _gaussian(size)

    def mean(values: Tensor) -> Tensor:
        return conv2d(values, kernel)

    mean_x, mean_y = mean(x), mean(y)
    var_x, var_y = mean(x * x) - mean_x**2, mean(y * y) - mean_y**2
    both = mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2  # K1 and K2 of the paper, for values in 0…1
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * both + c2) / (var_x + var_y + c2)
    return float((light * structure).mean())


def fault_of(picture: Tensor) -> Fault | None:
    """What is plainly wrong with one picture (height, width, 3) in 0…1, if anything is."""
    if not torch.isfinite(picture).all():
        return "not_finite"
    if picture.max() <= DARK:
        return "black"
    if picture.std(dim=(0, 1), correction=0).max() < EVEN:
        return "flat"
    return "noise" if likeness(picture) < UNLIKE else None


def likeness(picture: Tensor) -> float:
    """How much cells of a picture correlate with their neighbours: about 0 for noise.

    Cells are blocks of 8 x 8 pixels, since noise in a latent shows as blocks. A picture of fewer
    than 4 x 4 cells counts as like itself.
    """
    cells = avg_pool2d(picture.float().movedim(-1, 0)[None], CELL)[0]  # (3, rows, columns)
    if min(cells.shape[-2:]) < 4:
        return 1.0
    grey = cells.mean(dim=0)
    pairs = ((grey[1:], grey[:-1]), (grey[:, 1:], grey[:, :-1]))
    found = [_correlation(one.flatten(), other.flatten()) for one, other in pairs]
    return sum(found) / len(found)


def _correlation(one: Tensor, other: Tensor) -> float:
    one, other = one - one.mean(), other - other.mean()
    lengths = float(one.norm() * other.norm())
    # Where nothing varies everything is alike.
    return float(one @ other) / lengths if lengths > 1e-6 else 1.0


def _gaussian(size: int) -> Tensor:
    at = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    line = torch.exp(-(at**2) / (2 * SPREAD**2))
    line = line / line.sum()
    return (line[:, None] * line[None])[None, None]
