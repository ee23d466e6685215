"""Nodes that make and change masks."""

from typing import Annotated

import torch
from pydantic import Field

from diffusion import pictures
from graph.node import node
from graph.widgets import OneOf
from nodes.sockets import Image, Mask

CHANNELS = ("red", "green", "blue", "brightness")
LUMA = (0.2126, 0.7152, 0.0722)
"""How bright red, green and blue look: ITU-R BT.709, 3.2."""

Edge = Annotated[int, Field(ge=1, le=16384, description="Pixels.")]
Place = Annotated[int, Field(ge=0, le=16384, description="Pixels.")]


@node(title="Invert Mask", category="mask")
def invert_mask(mask: Mask) -> Mask:
    """Swap what is masked and what is not."""
    return Mask(1 - mask.values)


@node(title="Grow Mask", category="mask")
def grow_mask(
    mask: Mask,
    pixels: Annotated[int, Field(ge=-1024, le=1024, description="Below 0 it shrinks.")] = 8,
) -> Mask:
    """Make what is masked wider on every side, or narrower."""
    return Mask(pictures.grown(mask.values, pixels))


@node(title="Feather Mask", category="mask")
def feather_mask(
    mask: Mask, pixels: Annotated[int, Field(ge=0, le=1024, description="How softly.")] = 8
) -> Mask:
    """Let a mask's edges fade."""
    return Mask(pictures.softened(mask.values, pixels))


@node(title="Mask to Image", category="mask")
def mask_to_image(mask: Mask) -> Image:
    """Show a mask as a picture: white is 1."""
    return Image(mask.values[..., None].expand(-1, -1, -1, 3).contiguous())


@node(title="Image to Mask", category="mask")
def image_to_mask(image: Image, channel: Annotated[str, OneOf(CHANNELS)] = "brightness") -> Mask:
    """Take a mask from a picture: where it is bright, or has much of one colour."""
    if channel == "brightness":
        return Mask((image.pixels * torch.tensor(LUMA)).sum(dim=-1).clamp(0, 1))
    return Mask(image.pixels[..., CHANNELS.index(channel)].contiguous())


@node(title="Rectangle Mask", category="mask")
def rectangle_mask(
    width: Edge = 512,
    height: Edge = 512,
    x: Place = 0,
    y: Place = 0,
    box_width: Edge = 256,
    box_height: Edge = 512,
    feather: Annotated[int, Field(ge=0, le=1024, description="How softly.")] = 0,
) -> Mask:
    """A mask of a picture's size that is 1 in a rectangle, in pixels, and 0 around it."""
    values = torch.zeros(1, height, width)
    values[:, y : y + box_height, x : x + box_width] = 1
    return Mask(pictures.softened(values, feather))
