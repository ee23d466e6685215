"""Nodes that change the size and the edges of pictures."""

import re
from typing import Annotated, NamedTuple

import torch
from pydantic import Field

from diffusion import pictures
from diffusion.pictures import Margins
from graph.node import node
from graph.widgets import Colour, OneOf
from nodes.sockets import BadValue, Image, Mask

Method = Annotated[str, OneOf(pictures.METHODS)]
Edge = Annotated[int, Field(ge=0, le=16384, description="Pixels; 0 keeps the proportions.")]
Margin = Annotated[int, Field(ge=0, le=16384, multiple_of=8, description="Pixels to add.")]

LARGEST = 16384
"""No edge becomes longer, in pixels."""


class Extended(NamedTuple):
    """The larger picture, and a mask that is 1 where it is new."""

    image: Image
    mask: Mask


@node(title="Empty Image", category="image")
def empty_image(
    width: Annotated[int, Field(ge=1, le=LARGEST)] = 512,
    height: Annotated[int, Field(ge=1, le=LARGEST)] = 512,
    batch: Annotated[int, Field(ge=1, le=4096, description="How many pictures.")] = 1,
    colour: Colour = "#808080",
) -> Image:
    """Pictures of one colour."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise BadValue(f"{colour!r} is no colour: write it as # and six digits, such as #ff8000.")
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return Image(torch.tensor(values).expand(batch, height, width, 3).contiguous())


@node(title="Upscale Image", category="image")
def upscale_image(
    image: Image,
    method: Method = "lanczos",
    width: Edge = 1024,
    height: Edge = 1024,
    crop: Annotated[str, OneOf(("disabled", "center"))] = "disabled",
) -> Image:
    """Resize pictures, larger or smaller."""
    if not width and not height:
        return image
    rows, columns = image.pixels.shape[1:3]
    high = height or max(1, round(width / columns * rows))
    wide = width or max(1, round(height / rows * columns))
    return Image(pictures.scaled(image.pixels, high, wide, method, crop=crop == "center"))


@node(title="Upscale Image By", category="image")
def upscale_image_by(
    image: Image,
    method: Method = "lanczos",
    scale_by: Annotated[float, Field(ge=0.01, le=8)] = 2.0,
) -> Image:
    """Resize pictures by a factor."""
    high, wide = (min(LARGEST, max(1, round(edge * scale_by))) for edge in image.pixels.shape[1:3])
    return Image(pictures.scaled(image.pixels, high, wide, method))


@node(title="Crop Image", category="image")
def crop_image(
    image: Image,
    width: Annotated[int, Field(ge=1, le=16384)] = 512,
    height: Annotated[int, Field(ge=1, le=16384)] = 512,
    x: Annotated[int, Field(ge=0, le=16384)] = 0,
    y: Annotated[int, Field(ge=0, le=16384)] = 0,
) -> Image:
    """Cut a piece out of pictures; one that would reach over an edge is moved inside."""
    rows, columns = image.pixels.shape[1:3]
    high, wide = min(height, rows), min(width, columns)
    top, left = min(y, rows - high), min(x, columns - wide)
    return Image(image.pixels[:, top : top + high, left : left + wide].contiguous())


@node(title="Pad Image for Outpainting", category="image")
def pad_image_for_outpainting(
    image: Image,
    left: Margin = 0,
    top: Margin = 0,
    right: Margin = 0,
    bottom: Margin = 0,
    feathering: Annotated[
        int,
        Field(ge=0, le=16384, description="Pixels of the old picture that the new part blends in."),
    ] = 40,
) -> Extended:
    """Add room around a picture, and a mask that has the room painted."""
    margins = Margins(left, top, right, bottom)
    rows, columns = image.pixels.shape[1:3]
    mask = pictures.outside(rows, columns, margins, feathering)
    return Extended(Image(pictures.padded(image.pixels, margins)), Mask(mask))
