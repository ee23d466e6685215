"""Sizes of pictures: which is near another in area, in proportions, and of whole squares."""

import math
from typing import NamedTuple

from graph.advice import Advice

STEP = 64
"""Pixels that a proposed edge is a multiple of, which every model takes."""

FINE = 16
"""The same for an edge that must keep to proportions."""

STRIPE = 4
"""No edge that is proposed is longer than so many times the square's."""

STRETCH = 1.02
"""Proportions that differ by more than this factor look stretched."""


class Size(NamedTuple):
    """A size in pixels, and the node whose `width` and `height` say it; None for a picture's."""

    width: int
    height: int
    maker: str | None = None

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


def native_size(size: Size, advice: Advice) -> Size:
    """A size in about the same proportions whose area is the model's own."""
    grow = advice.side / math.sqrt(size.width * size.height)
    edges = [max(1, round(edge * grow / STEP)) * STEP for edge in size[:2]]
    if max(edges) > STRIPE * advice.side:  # proportions that no model was trained at are not kept
        edges = [advice.side, advice.side]
    return Size(edges[0], edges[1])


def shaped(size: Size, like: Size) -> Size | None:
    """A size of about the same area in the proportions of another; None where none comes close."""
    ideal = math.sqrt(size.width * size.height * like.height / like.width)
    heights = range(max(FINE, round(ideal * 0.8 / FINE) * FINE), round(ideal * 1.25) + 1, FINE)
    found = [
        Size(max(FINE, round(height * like.width / like.height / FINE) * FINE), height)
        for height in heights
    ]
    fitting = [item for item in found if not stretched(item, like)]
    return min(fitting, key=lambda item: abs(item.height - ideal), default=None)


def stretched(one: Size, other: Size) -> bool:
    ratio = (one.width * other.height) / (one.height * other.width)
    return max(ratio, 1 / ratio) > STRETCH
