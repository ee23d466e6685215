"""Run a network over a large picture in overlapping tiles, and blend what comes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

LEAST = 8
"""Cells along the edge of the smallest tile that is tried where memory runs out."""


@dataclass(frozen=True)
class Tiling:
    """Tiles of `size` cells along each edge that overlap by `overlap` cells.

    A cell is `entering` elements of the input and `leaving` elements of the output along each edge:
    1 and 8 for a decoder, 8 and 1 for an encoder.
    """

    size: int
    overlap: int
    entering: int
    leaving: int


@dataclass(frozen=True)
class TileSize:
    """Pixels along a tile's edge, and of them those shared with the next tile."""

    pixels: int
    overlap: int

    def within(self, downscale: int, entering: int, leaving: int) -> Tiling:
        """The tiling of a network whose cells are `downscale` pixels along an edge.

        A tile is one cell at least, and no more than a quarter of it overlaps.
        """
        size = max(1, self.pixels // downscale)
        return Tiling(size, min(self.overlap // downscale, size // 4), entering, leaving)


def smaller(tiling: Tiling, cells: int, *, tiled: bool) -> Iterator[Tiling]:
    """Tilings that take ever less memory, for a picture of so many cells in all.

    `tiled`: the given one was tried; else the picture was tried whole.
    """
    size = tiling.size // 2 if tiled else tiling.size
    while size >= LEAST:
        if size**2 < cells:
            yield replace(tiling, size=size, overlap=min(tiling.overlap, size // 4))
        size //= 2


def tiled(
    apply: Callable[[Tensor], Tensor], x: Tensor, tiling: Tiling, check_cancel: Callable[[], None]
) -> Tensor:
    """`apply` on tiles of x (batch, channels, height, width); float32 on the CPU.

    Where tiles overlap, each counts the more the farther the place is from the tile's own edge.
    `check_cancel` is called before each tile.
    """
    rows, columns = (edge // tiling.entering for edge in x.shape[2:])
    total: Tensor | None = None
    weights = torch.zeros(rows * tiling.leaving, columns * tiling.leaving)
    for top in _starts(rows, tiling):
        for left in _starts(columns, tiling):
            check_cancel()
            height, width = min(tiling.size, rows), min(tiling.size, columns)
            made = apply(x[:, :, _span(top, height, tiling.entering)][
                ..., _span(left, width, tiling.entering)
            ]).float().cpu()  # fmt: skip
            if total is None:
                total = torch.zeros(*made.shape[:2], *weights.shape)
            weight = _ramp(height, tiling)[:, None] * _ramp(width, tiling)[None]
            place = (_span(top, height, tiling.leaving), _span(left, width, tiling.leaving))
            total[(..., *place)] += made * weight
            weights[place] += weight
    if total is None:
        raise ValueError("There is no tile in an empty picture.")
    return total / weights


def _starts(length: int, tiling: Tiling) -> Iterator[int]:
    """Where tiles begin along an edge of `length` cells; the last one ends with the edge."""
    last = max(0, length - tiling.size)
    yield from range(0, last, tiling.size - tiling.overlap)
    yield last


def _span(start: int, length: int, scale: int) -> slice:
    return slice(start * scale, (start + length) * scale)


def _ramp(length: int, tiling: Tiling) -> Tensor:
    """Weights along a tile's edge, above 0: up to 1 over the overlap, and down again."""
    count = length * tiling.leaving
    fade = max(1, tiling.overlap * tiling.leaving)
    steps = torch.arange(count, dtype=torch.float32)
    return ((torch.minimum(steps, count - 1 - steps) + 1) / fade).clamp(max=1)
