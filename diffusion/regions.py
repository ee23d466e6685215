"""Where in the picture, when in the run, and how strongly each of several prompts holds.

A prompt of parts asks the network once for every part, and takes the weighted mean of the answers
at each place: MultiDiffusion (Bar-Tal et al. 2023, eq. 5), whose weights are here a part's
strength, its mask, and a ramp at the edges of its area.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from diffusion.conditioning import Conditioning
from diffusion.levels import NoiseLevels

RAMP = 8
"""Elements of a latent over which an area fades in at its edges, but for the picture's own."""


class Box(NamedTuple):
    """A part of a latent, in its elements."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Area:
    """A rectangle of the picture: in pixels, or with `relative` in fractions of its edges."""

    left: float
    top: float
    width: float
    height: float
    relative: bool = False

    def box(self, height: int, width: int, downscale: int) -> Box | None:
        """The area on a latent of this size, at least one element; None where it lies outside."""
        pixel = 1 / downscale
        scales = (float(height), float(width)) if self.relative else (pixel, pixel)
        top, high = round(self.top * scales[0]), max(1, round(self.height * scales[0]))
        left, wide = round(self.left * scales[1]), max(1, round(self.width * scales[1]))
        if top >= height or left >= width:
            return None
        return Box(top, left, min(high, height - top), min(wide, width - left))


@dataclass(frozen=True, eq=False)
class Where:
    """Where a prompt holds. `mask`: (1 or batch, height, width) in 0…1, at any size.

    `area`: the network sees this part of the picture alone. `strength` weighs it against others.
    `begin` and `end`: fractions of the way from noise to picture; at both ends it still holds.
    """

    mask: Tensor | None = None
    area: Area | None = None
    strength: float = 1.0
    begin: float = 0.0
    end: float = 1.0

    def holds(self, sigma: float, levels: NoiseLevels) -> bool:
        """Does it hold at level σ?"""
        return levels.at(self.end) <= sigma <= levels.at(self.begin)


EVERYWHERE = Where()


class Part(NamedTuple):
    """One of the prompts that a prompt is made of."""

    conditioning: Conditioning
    where: Where = EVERYWHERE

    @property
    def plain(self) -> bool:
        """Does it hold everywhere and always?"""
        where = self.where
        whole = where.mask is None and where.area is None
        return whole and where.begin <= 0 and where.end >= 1


class Said(NamedTuple):
    """The weighted sum of what parts say, like x, and of their weights (1 or batch, 1, h, w)."""

    total: Tensor
    weights: Tensor

    def mean(self, silent: Tensor) -> Tensor:
        """The mean where any part holds, elsewhere what is there in `silent`."""
        spoken = self.weights > 0
        return torch.where(spoken, self.total / self.weights.where(spoken, 1), silent)


def said(
    parts: Sequence[Part],
    x: Tensor,
    sigma: float,
    levels: NoiseLevels,
    downscale: int,
    answer: Callable[[Tensor, Conditioning], Tensor],
    *,
    in_pieces: bool = True,
) -> Said:
    """What the parts that hold at level σ say of `x`, (batch, channels, height, width).

    `answer` is what the network says of a latent, or a piece of it, to one conditioning. Without
    `in_pieces` it is asked for all of it, also where a part has an area.
    """
    total = torch.zeros_like(x)
    weights = torch.zeros(len(x), 1, *x.shape[2:], dtype=x.dtype, device=x.device)
    for conditioning, where in parts:
        box = _box(where, x, downscale)
        if box is None or where.strength == 0 or not where.holds(sigma, levels):
            continue
        rows, columns = (
            slice(box.top, box.top + box.height),
            slice(box.left, box.left + box.width),
        )
        weight = _weight(where, x, box)
        if in_pieces:
            told = answer(x[..., rows, columns], conditioning)
        else:
            told = answer(x, conditioning)[..., rows, columns]
        total[..., rows, columns] += told * weight
        weights[..., rows, columns] += weight
    return Said(total, weights)


def _box(where: Where, x: Tensor, downscale: int) -> Box | None:
    height, width = x.shape[-2:]
    if where.area is None:
        return Box(0, 0, height, width)
    return where.area.box(height, width, downscale)


def _weight(where: Where, x: Tensor, box: Box) -> Tensor:
    """The weights of a part inside its box: (1 or batch, 1, height, width)."""
    height, width = x.shape[-2:]
    down = _ramp(box.top, box.height, height).to(x)
    across = _ramp(box.left, box.width, width).to(x)
    weight = (down[:, None] * across)[None, None] * where.strength
    if where.mask is None:
        return weight
    mask = interpolate(where.mask[:, None].to(x), size=(height, width), mode="bilinear")
    return weight * mask[
        ..., box.top : box.top + box.height, box.left : box.left + box.width
    ].clamp(0, 1)


def _ramp(start: int, length: int, whole: int) -> Tensor:
    """1 along an edge, rising from 1/RAMP where the picture goes on beyond it: (length,)."""
    place = torch.arange(length, dtype=torch.float32) + 1
    ramp = torch.ones(length)
    if start > 0:
        ramp = ramp * (place / RAMP).clamp(max=1)
    if start + length < whole:
        ramp = ramp * (place.flip(0) / RAMP).clamp(max=1)
    return ramp
