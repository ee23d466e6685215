"""Find the edges of pictures, for ControlNets that follow lines."""

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, pad

SIGMA = 1.0
"""How far the picture is smoothed first, in pixels."""

LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue look: ITU-R BT.601."""

NEIGHBOURS = ((0, 1), (1, 1), (1, 0), (1, -1))
"""The steps to the pixel that the gradient points to, by its direction in eighths of a turn."""


def canny(pictures: Tensor, low: float, high: float) -> Tensor:
    """White lines one pixel wide where brightness changes, else black: Canny 1986.

    `pictures`: (batch, height, width, 3) in 0…1, and so are the lines. A line begins where the
    change is above `high` and goes on while it is above `low`, both in 0…1: of an edge from black
    to white, smoothed, it is about 1.
    """
    luma = (pictures * pictures.new_tensor(LUMA)).sum(dim=-1)[:, None]
    strength, direction = _gradient(_smoothed(luma))
    thin = torch.where(_is_crest(strength, direction), strength, 0.0)
    lines = _followed(thin > high, thin > low)
    return lines[:, 0, :, :, None].to(pictures).expand(*pictures.shape).contiguous()


def _smoothed(x: Tensor) -> Tensor:
    reach = math.ceil(2 * SIGMA)
    places = torch.arange(-reach, reach + 1, dtype=x.dtype)
    bell = torch.exp(-(places**2) / (2 * SIGMA**2))
    bell = bell / bell.sum()
    padded = pad(x, (reach,) * 4, mode="replicate")
    return conv2d(conv2d(padded, bell[None, None, None]), bell[None, None, :, None])


def _gradient(x: Tensor) -> tuple[Tensor, Tensor]:
    """How strongly x changes (Sobel, divided so that a smoothed step from 0 to 1 is about 1), and
    in which of four directions: an index of `NEIGHBOURS`."""
    across = x.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
    padded = pad(x, (1,) * 4, mode="replicate")
    right, down = (conv2d(padded, kernel[None, None]) for kernel in (across, across.t()))
    eighths = torch.atan2(down, right) / (math.pi / 4)
    return torch.hypot(right, down) * _STEP, eighths.round().long() % 4


_STEP = math.sqrt(2 * math.pi) * SIGMA / 2
"""Smoothing spreads a step: its steepest slope is 1/(σ√2π), over two pixels."""


def _is_crest(strength: Tensor, direction: Tensor) -> Tensor:
    """Whether a pixel is at least as strong as both neighbours across the edge."""
    height, width = strength.shape[2:]
    padded = pad(strength, (1,) * 4)
    crest = torch.zeros_like(strength, dtype=torch.bool)
    for number, (down, right) in enumerate(NEIGHBOURS):
        ahead, behind = (
            padded[..., 1 + s * down :, 1 + s * right :][..., :height, :width] for s in (1, -1)
        )
        crest |= (direction == number) & (strength > ahead) & (strength >= behind)
    return crest


def _followed(sure: Tensor, possible: Tensor) -> Tensor:
    """The possible pixels that touch a sure one, or another that does."""
    found = sure
    while True:
        touched = max_pool2d(found.float(), 3, stride=1, padding=1) > 0
        grown = touched & possible | sure
        if torch.equal(grown, found):
            return found
        found = grown
