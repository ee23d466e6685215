"""Change pictures and masks without a network: resize, pad, grow, soften, lay out side by side.

Pictures are float32 (batch, height, width, 3) in 0…1, masks (batch, height, width) in 0…1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy
import torch
from PIL import Image as Pictures
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from diffusion.latents import middle, resized

METHODS = ("lanczos", "bicubic", "bilinear", "area", "nearest-exact")
"""The ways to resize a picture; "lanczos" is the sharpest."""

GREY = 0.5
"""What stands where nothing is yet: the middle of every channel."""


class Margins(NamedTuple):
    """Pixels on each side."""

    left: int
    top: int
    right: int
    bottom: int


def scaled(pixels: Tensor, height: int, width: int, method: str, *, crop: bool = False) -> Tensor:
    """The pictures at another size; `crop` cuts their middle to the new proportions first."""
    x = pixels.movedim(-1, 1)  # (batch, 3, height, width)
    if crop:
        x = middle(x, height, width)
    if tuple(x.shape[-2:]) == (height, width):
        return x.movedim(1, -1).contiguous()
    if method == "lanczos":
        return torch.stack([_lanczos(one, height, width) for one in x])
    # Bicubic kernels swing over at edges, and a picture lies in 0…1.
    return resized(x, height, width, method).clamp(0, 1).movedim(1, -1).contiguous()


def _lanczos(picture: Tensor, height: int, width: int) -> Tensor:
    """(3, height, width) to (height, width, 3), each channel in float32: Pillow's RGB has 8 bits"""
    channels = [
        numpy.asarray(
            Pictures.fromarray(channel.numpy()).resize((width, height), Pictures.Resampling.LANCZOS)
        )
        for channel in picture.contiguous()
    ]
    return torch.from_numpy(numpy.stack(channels, axis=-1)).clamp(0, 1)


def padded(pixels: Tensor, margins: Margins) -> Tensor:
    """The pictures with grey around them."""
    left, top, right, bottom = margins
    return pad(pixels, (0, 0, left, right, top, bottom), value=GREY)


def outside(height: int, width: int, margins: Margins, feather: int) -> Tensor:
    """The mask of a padded picture: 1 on its margins, 0 on what was there, (1, height, width).

    `height` and `width` are the picture's before. Within `feather` pixels of a margin it falls as
    the square of the way to go, so that the seam lies inside the picture.
    """
    rows = _nearness(height, margins.top, margins.bottom, feather)
    columns = _nearness(width, margins.left, margins.right, feather)
    inner = torch.maximum(rows[:, None].expand(-1, width), columns.expand(height, -1))
    left, top, right, bottom = margins
    return pad(inner[None], (left, right, top, bottom), value=1.0)


def _nearness(length: int, before: int, behind: int, feather: int) -> Tensor:
    """How near each of `length` pixels is to a margin that is there: 1 beside it, 0 far away."""
    near = torch.zeros(length)
    if feather:
        at = torch.arange(length, dtype=torch.float32) + 0.5
        if before:
            near = torch.maximum(near, 1 - at / feather)
        if behind:
            near = torch.maximum(near, 1 - (length - at) / feather)
    return near.clamp(0, 1) ** 2


def grown(mask: Tensor, pixels: int) -> Tensor:
    """The mask with its bright parts `pixels` wider on every side, or narrower below 0."""
    edge = 2 * abs(pixels) + 1
    if pixels >= 0:
        return max_pool2d(mask[:, None], edge, stride=1, padding=abs(pixels))[:, 0]
    return 1 - max_pool2d(1 - mask[:, None], edge, stride=1, padding=abs(pixels))[:, 0]


def softened(mask: Tensor, pixels: int) -> Tensor:
    """The mask with edges that fade over about `pixels` pixels: three box blurs, near a Gaussian"""
    if pixels <= 0:
        return mask
    reach = max(1, round(pixels / 2))
    x = mask[:, None]
    for _ in range(3):
        around = pad(x, (reach, reach, reach, reach), mode="replicate")
        x = avg_pool2d(around, 2 * reach + 1, stride=1)
    return x[:, 0].clamp(0, 1)


def in_grid(pictures: Sequence[Tensor], columns: int, gap: int) -> Tensor:
    """Pictures (height, width, 3) in rows of `columns`, white between and behind them.

    Each lies at the top left of a cell as large as the largest: (rows, columns, 3).
    """
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    rows = -(-len(pictures) // columns)
    sheet = torch.ones(rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet
