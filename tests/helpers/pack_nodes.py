"""The nodes of a pack that tests put into custom_nodes: every kind of input, and no model."""

from typing import Annotated

import torch
from pydantic import Field

from graph.node import node
from graph.types import Variadic
from nodes.sockets import Image


@node(category="test")
def number(value: int = 1) -> int:
    """A number for a widget's wire."""
    return value


@node(category="test")
def grey(level: Annotated[int, Field(ge=0, le=255)] = 0) -> Image:
    """A square of 8 x 8 pixels."""
    # half a level more, because files cut numbers and do not round them
    return Image(torch.full((1, 8, 8, 3), min(1.0, (level + 0.5) / 255)))


@node(category="test")
def beside(images: Variadic[Image]) -> Image:
    """Pictures from left to right."""
    return Image(torch.cat([image.pixels for image in images], dim=2))


@node(category="test")
def columns(image: Image) -> list[Image]:
    """The picture's squares, one by one."""
    return [Image(part.contiguous()) for part in image.pixels.split(8, dim=2)]


@node(category="test")
def pile(images: list[Image]) -> Image:
    """Pictures from top to bottom."""
    return Image(torch.cat([image.pixels for image in images], dim=1))


@node(category="test")
def blacken(image: Image) -> Image:
    """Nothing is left of the picture."""
    return Image(torch.zeros_like(image.pixels))
